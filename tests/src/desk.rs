//! The way of a person through the desktop window, from the code to the waiting room.

use crate::{court::Invited, webdriver::Window};
use anyhow::Result;

/// The reader of the burned-in clock that the browser tests use too: a JavaScript function `readStamp(element)`.
const STAMP: &str = include_str!("../e2e/stamp.mjs");

/// The reader as the body of a script.
pub fn stamp_reader() -> String {
    STAMP.replace("export ", "")
}

/// Types the code and goes through every step up to the waiting room.
pub async fn walk_to_waiting(window: &Window, invited: &Invited) -> Result<()> {
    window
        .type_into("//input[@autocomplete='one-time-code']", &invited.code)
        .await?;
    window.click(&button("进入庭审")).await?;
    window
        .type_into("//label[contains(., '姓名')]/following::input[1]", &invited.name)
        .await?;
    window.click(&button("信息无误，下一步")).await?;
    window.click(&button("跳过检测")).await?;
    window.click(&button("继续")).await?;
    window
        .click("//label[contains(normalize-space(.), '我已阅读，并遵守法庭纪律')]")
        .await?;
    window.click(&button("确认，进入候庭")).await
}

/// A button by the words on it (XPath).
pub fn button(words: &str) -> String {
    format!("//button[contains(normalize-space(.), '{words}')]")
}
