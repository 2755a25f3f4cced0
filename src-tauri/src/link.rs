//! `mingting://join/12345678`: reads the code out of a link. A link can fill in a code and nothing else; above all it
//! never changes the server.

use protocol::Secret;

/// The code in a link, if the link is ours and the code could be one.
pub(crate) fn code_in_link(link: &str) -> Option<Secret> {
    let rest = link.strip_prefix("mingting://join/")?;
    let code = rest.split(['?', '#', '/']).next()?;
    crate::args::plausible_code(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::JoinCode;

    #[test]
    fn only_our_links_with_a_plausible_code_are_taken() {
        let code = JoinCode::from_number(1_234_567).expose();
        let taken = |link: &str| code_in_link(link).map(|c| c.expose().to_owned());
        assert_eq!(taken(&format!("mingting://join/{code}")), Some(code.clone()));
        assert_eq!(taken(&format!("mingting://join/{code}/?x=1")), Some(code.clone()));
        for bad in [
            format!("https://join/{code}"),
            format!("mingting://open/{code}"),
            "mingting://join/".to_owned(),
            "mingting://join/00000001".to_owned(),
            format!("mingting://join/{code}9"),
            "mingting://join/../../etc".to_owned(),
        ] {
            assert_eq!(taken(&bad), None, "{bad}");
        }
    }
}
