//! Who stands at a door without having shown anything yet, counted by address, so that one stranger cannot fill it for
//! all the others. It opens no door and knows nobody.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex};

/// A door with so many places.
#[derive(Debug)]
pub(crate) struct Doorway {
    each: usize,
    all: usize,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    by_address: HashMap<IpAddr, usize>,
    all: usize,
}

/// A place at the door; dropping it leaves.
#[derive(Debug)]
pub(crate) struct Standing {
    door: Arc<Doorway>,
    address: IpAddr,
}

impl Doorway {
    /// At most `each` places for one subscriber and `all` together.
    pub(crate) fn new(each: usize, all: usize) -> Arc<Self> {
        Arc::new(Self {
            each,
            all,
            book: Mutex::default(),
        })
    }

    /// A place, if there is one left for this address.
    pub(crate) fn stand(self: &Arc<Self>, address: IpAddr) -> Option<Standing> {
        let address = subscriber(address);
        let mut book = self.book.lock().expect("no panic happens while the book is held");
        let own = book.by_address.get(&address).copied().unwrap_or(0);
        if own >= self.each || book.all >= self.all {
            return None;
        }
        book.by_address.insert(address, own + 1);
        book.all += 1;
        Some(Standing {
            door: self.clone(),
            address,
        })
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        let mut book = self
            .door
            .book
            .lock()
            .expect("no panic happens while the book is held");
        book.all -= 1;
        if let Some(own) = book.by_address.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                book.by_address.remove(&self.address);
            }
        }
    }
}

/// The subscriber that an address belongs to: with IPv6 one has a whole /64.
pub(crate) fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_subscriber_does_not_fill_the_door_and_all_together_do() {
        let at = |text: &str| text.parse::<IpAddr>().expect("an address");
        let door = Doorway::new(2, 4);
        let stand = |text| door.stand(at(text));
        let first = stand("2001:db8::1").expect("the first");
        let _second = stand("2001:db8::2").expect("the second of one subscriber");
        assert!(stand("2001:db8::3").is_none());
        let _others = [
            stand("192.0.2.1").expect("another"),
            stand("192.0.2.2").expect("another"),
        ];
        assert!(stand("192.0.2.3").is_none(), "the door is full");
        drop(first);
        let again = stand("2001:db8::3").expect("a place is free again");
        drop(again);
        assert_eq!(door.book.lock().expect("whole").by_address.len(), 3);
    }
}
