//! The parts of SDP that str0m leaves to its user: what each section of an offer is for, and the msid, direction
//! and payload order of an answer. Text in, text out; never keeps state.

use crate::track::MAX_LAYERS;

/// What a media section of an offer is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    /// `a=mid`.
    pub mid: String,
    /// Picture or sound; data sections are not listed.
    pub video: bool,
    /// Who sends.
    pub direction: Direction,
    /// The track id of `a=msid`, if one is given.
    pub track_id: Option<String>,
    /// Simulcast layers the peer sends, in its order.
    pub send_rids: Vec<String>,
    /// Port 0 outside the bundle, or stopped: carries nothing.
    pub rejected: bool,
}

/// `a=sendrecv` and its kin, from the offerer's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Both ways.
    SendRecv,
    /// The offerer sends.
    SendOnly,
    /// The offerer receives.
    RecvOnly,
    /// Neither.
    Inactive,
}

/// Offers larger than this are refused, in bytes: some hundred sections at most.
pub(crate) const MAX_OFFER: usize = 512 * 1024;
/// More media sections than this are refused.
pub(crate) const MAX_SECTIONS: usize = 256;

/// The audio and video sections of an offer.
pub(crate) fn sections(sdp: &str) -> Vec<Section> {
    let mut all = Vec::new();
    let mut current: Option<Section> = None;
    let mut bundled: Vec<&str> = Vec::new();
    for line in sdp.lines() {
        let line = line.trim_end();
        if let Some(mids) = line.strip_prefix("a=group:BUNDLE") {
            bundled = mids.split_ascii_whitespace().collect();
        } else if let Some(media) = line.strip_prefix("m=") {
            all.extend(current.take());
            let mut words = media.split_ascii_whitespace();
            let kind = words.next().unwrap_or_default();
            let port = words.next().unwrap_or_default();
            if kind == "audio" || kind == "video" {
                current = Some(Section {
                    mid: String::new(),
                    video: kind == "video",
                    direction: Direction::SendRecv,
                    track_id: None,
                    send_rids: Vec::new(),
                    rejected: port == "0",
                });
            }
        } else if let Some(section) = current.as_mut() {
            if let Some(mid) = line.strip_prefix("a=mid:") {
                section.mid = mid.to_owned();
            } else if let Some(msid) = line.strip_prefix("a=msid:") {
                section.track_id = msid.split_ascii_whitespace().nth(1).map(str::to_owned);
            } else if let Some(rid) = line.strip_prefix("a=rid:") {
                let mut words = rid.split_ascii_whitespace();
                if let (Some(id), Some("send")) = (words.next(), words.next())
                    && section.send_rids.len() < MAX_LAYERS
                {
                    section.send_rids.push(id.to_owned());
                }
            } else {
                section.direction = match line {
                    "a=sendrecv" => Direction::SendRecv,
                    "a=sendonly" => Direction::SendOnly,
                    "a=recvonly" => Direction::RecvOnly,
                    "a=inactive" => Direction::Inactive,
                    _ => continue,
                };
            }
        }
    }
    all.extend(current);
    for section in &mut all {
        section.rejected &= !bundled.contains(&section.mid.as_str());
    }
    all
}

/// What the answer says of one section, seen from us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answered {
    /// We send this track.
    Sending {
        /// `PA_…|camera`.
        stream_id: String,
        /// `TR_…`.
        track_id: String,
    },
    /// We receive, and prefer these codecs in this order (names as in `a=rtpmap`).
    Receiving {
        /// Codec names, most wanted first.
        prefer: Vec<String>,
    },
    /// Nothing flows for now.
    Idle,
}

/// Rewrites the answer str0m made: direction and msid of each section, and the order of its payload types.
pub(crate) fn rewrite_answer(answer: &str, of: impl Fn(&str) -> Answered) -> String {
    let mut blocks: Vec<Vec<&str>> = vec![Vec::new()];
    for line in answer.lines() {
        if line.starts_with("m=") {
            blocks.push(Vec::new());
        }
        blocks
            .last_mut()
            .expect("there is always a block")
            .push(line.trim_end());
    }
    let mut out = String::with_capacity(answer.len() + 256);
    for block in blocks {
        let first = block.first().copied().unwrap_or_default();
        let media = first.starts_with("m=audio") || first.starts_with("m=video");
        let mid = block.iter().find_map(|line| line.strip_prefix("a=mid:"));
        match (media, mid) {
            (true, Some(mid)) => rewrite_section(&mut out, &block, &of(mid)),
            _ => block.iter().for_each(|line| push_line(&mut out, line)),
        }
    }
    out
}

fn push_line(out: &mut String, line: &str) {
    out.push_str(line);
    out.push_str("\r\n");
}

fn rewrite_section(out: &mut String, block: &[&str], answered: &Answered) {
    for line in block {
        let is_direction = matches!(*line, "a=sendrecv" | "a=sendonly" | "a=recvonly" | "a=inactive");
        if line.starts_with("m=") {
            match answered {
                Answered::Receiving { prefer } => push_line(out, &reorder_payloads(line, block, prefer)),
                Answered::Sending { .. } | Answered::Idle => push_line(out, line),
            }
        } else if is_direction {
            push_line(
                out,
                match answered {
                    Answered::Sending { .. } => "a=sendonly",
                    Answered::Receiving { .. } => "a=recvonly",
                    Answered::Idle => "a=inactive",
                },
            );
        } else if line.starts_with("a=msid:") {
            if let Answered::Sending { stream_id, track_id } = answered {
                push_line(out, &format!("a=msid:{stream_id} {track_id}"));
            }
        } else if line.starts_with("a=ssrc:") || line.starts_with("a=ssrc-group:") {
            let Answered::Sending { stream_id, track_id } = answered else {
                continue;
            };
            match line.split_once(" msid:") {
                Some((ssrc, _)) => push_line(out, &format!("{ssrc} msid:{stream_id} {track_id}")),
                None => push_line(out, line),
            }
        } else {
            push_line(out, line);
        }
    }
}

/// Moves the payload types of the preferred codecs to the front of the `m=` line; the rest keep their order.
fn reorder_payloads(m_line: &str, block: &[&str], prefer: &[String]) -> String {
    let mut words = m_line.split_ascii_whitespace();
    let head: Vec<&str> = words.by_ref().take(3).collect();
    let payloads: Vec<&str> = words.collect();
    let codec_of = |payload: &str| {
        block.iter().find_map(|line| {
            let (pt, name) = line.strip_prefix("a=rtpmap:")?.split_once(' ')?;
            (pt == payload).then(|| name.split('/').next().unwrap_or(name))
        })
    };
    let rank = |payload: &&str| {
        let codec = codec_of(payload).unwrap_or_default();
        prefer
            .iter()
            .position(|name| name.eq_ignore_ascii_case(codec))
            .unwrap_or(prefer.len())
    };
    let mut ordered = payloads;
    ordered.sort_by_key(rank);
    format!("{} {}", head.join(" "), ordered.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OFFER: &str = "v=0\r\na=group:BUNDLE 0 1 2\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=recvonly\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=sendonly\r\na=msid:- cam-1\r\na=rid:q send\r\na=rid:h send\r\n\
        m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\nm=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:3\r\na=inactive\r\n";

    #[test]
    fn an_offer_is_read_section_by_section() {
        let read = sections(OFFER);
        assert_eq!(
            read.iter().map(|s| s.mid.as_str()).collect::<Vec<_>>(),
            ["0", "1", "3"]
        );
        assert_eq!(read[0].direction, Direction::RecvOnly);
        assert_eq!(read[1].track_id.as_deref(), Some("cam-1"));
        assert_eq!(read[1].send_rids, ["q", "h"]);
        assert!(read[2].rejected && !read[1].rejected);
    }

    #[test]
    fn an_answer_names_our_tracks_and_hides_idle_sections() {
        let answer = "v=0\r\nm=audio 9 X 111\r\na=mid:0\r\na=sendonly\r\na=msid:rand rand2\r\na=ssrc:7 cname:c\r\n\
            a=ssrc:7 msid:rand rand2\r\nm=video 9 X 96 97 108\r\na=mid:1\r\na=recvonly\r\na=rtpmap:96 VP8/90000\r\n\
            a=rtpmap:97 rtx/90000\r\na=rtpmap:108 H264/90000\r\nm=audio 9 X 111\r\na=mid:2\r\na=sendonly\r\na=msid:r r\r\na=ssrc:8 cname:c\r\n";
        let out = rewrite_answer(answer, |mid| match mid {
            "0" => Answered::Sending {
                stream_id: "PA_a|camera".into(),
                track_id: "TR_b".into(),
            },
            "1" => Answered::Receiving {
                prefer: vec!["h264".into()],
            },
            _ => Answered::Idle,
        });
        assert!(out.contains("a=msid:PA_a|camera TR_b\r\n"));
        assert!(out.contains("a=ssrc:7 msid:PA_a|camera TR_b\r\n"));
        assert!(out.contains("m=video 9 X 108 96 97\r\n"));
        assert!(!out.contains("a=ssrc:8") && !out.contains("rand"));
        assert!(out.contains("a=mid:2\r\na=inactive\r\n"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "(m=(audio|video) [0-9]* x 96\r?\n|a=[a-z:]{0,9} ?[a-z0-9]*\r?\n|.{0,30}\n){0,20}") {
            let _ = sections(&text);
            let _ = rewrite_answer(&text, |_| Answered::Idle);
        }
    }
}
