//! Whether a name as typed is the invited one: spaces, full-width letters and kinds of middle dots do not matter.
//!
//! Nothing is guessed: 张三 and 張三 are different names here, and so are names with a letter missing.

use protocol::PersonName;

/// True when both are the same name as a person would read it.
pub(crate) fn same_name(typed: &PersonName, invited: &PersonName) -> bool {
    !typed.is_empty() && normalised(typed.expose()) == normalised(invited.expose())
}

fn normalised(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '\u{200b}'..='\u{200d}' | '\u{feff}'))
        .map(|c| match c {
            // Full-width forms of ASCII.
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
            // The dots that input methods put between the parts of a transcribed name.
            '•' | '・' | '‧' | '∙' | '⋅' | '･' => '·',
            c => c,
        })
        .map(|c| if c == '.' { '·' } else { c })
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_people_read_them() {
        let same = [
            ("张示例", "张示例"),
            (" 张 示例\u{3000}", "张示例"),
            ("阿卜杜拉·买买提", "阿卜杜拉•买买提"),
            ("阿卜杜拉.买买提", "阿卜杜拉·买买提"),
            ("ＪＯＨＮ ｓｍｉｔｈ", "John Smith"),
        ];
        for (typed, invited) in same {
            assert!(
                same_name(&PersonName::new(typed), &PersonName::new(invited)),
                "{typed} / {invited}"
            );
        }
        for (typed, invited) in [
            ("", ""),
            ("张示", "张示例"),
            ("张样例", "张示例"),
            ("  ", "张示例"),
        ] {
            assert!(
                !same_name(&PersonName::new(typed), &PersonName::new(invited)),
                "{typed} / {invited}"
            );
        }
    }
}
