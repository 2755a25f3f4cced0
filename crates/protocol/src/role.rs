//! Who sits in a hearing.

use crate::{PersonName, SeatId};
use serde::{Deserialize, Serialize};

/// What a seat is in the hearing; decides what it may do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// 审判长 or 独任审判员.
    PresidingJudge,
    /// 审判员 or 人民陪审员 on the panel.
    PanelMember,
    /// 法官助理.
    Assistant,
    /// 书记员.
    Clerk,
    /// 技术人员.
    Technician,
    /// 原告 or 上诉人.
    Plaintiff,
    /// 被告 or 被上诉人.
    Defendant,
    /// 第三人.
    ThirdParty,
    /// 代理人 of the seat in [`Seat::represents`].
    Agent,
    /// 证人.
    Witness,
    /// 鉴定人, 勘验人, 有专门知识的人.
    Expert,
    /// 翻译人员 for the seat in [`Seat::represents`].
    Interpreter,
    /// 旁听人员.
    Observer,
}

impl Role {
    /// All roles, in the order in which lists show them.
    pub const ALL: [Role; 13] = [
        Role::PresidingJudge,
        Role::PanelMember,
        Role::Assistant,
        Role::Clerk,
        Role::Technician,
        Role::Plaintiff,
        Role::Defendant,
        Role::ThirdParty,
        Role::Agent,
        Role::Witness,
        Role::Expert,
        Role::Interpreter,
        Role::Observer,
    ];
}

/// Which side of the courtroom a seat is drawn on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Side {
    /// 审判席.
    Bench,
    /// 书记员席.
    Clerk,
    /// 原告席.
    Plaintiff,
    /// 被告席.
    Defendant,
    /// 第三人席.
    ThirdParty,
    /// 证人席.
    Witness,
    /// 旁听席.
    Gallery,
}

/// One invited place: fixed when the hearing is scheduled.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Seat {
    /// Unique within the hearing.
    pub id: SeatId,
    /// What it may do.
    pub role: Role,
    /// What the court calls it, as the label shows it: 原告, 上诉人, 人民陪审员, 原告代理人.
    pub title: String,
    /// Who was invited.
    pub name: PersonName,
    /// For an agent or interpreter: whose.
    pub represents: Option<SeatId>,
    /// Where it is drawn.
    pub side: Side,
}
