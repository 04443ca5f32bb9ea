//! The pairing on the page, made anew.

use std::convert::Infallible;

use dak::id::NodeId;
use dak::pairing::{Code, Frame, Host, Joiner, Refusal};
use dak::ticket::Ticket;
use ed25519_dalek::SigningKey;
use rand_core::{TryCryptoRng, TryRng};

use crate::page::vectors;

/// Random bytes that are all the same.
struct Same(u8);

impl TryRng for Same {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_ne_bytes([self.0; 4]))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_ne_bytes([self.0; 8]))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(self.0);
        Ok(())
    }
}

impl TryCryptoRng for Same {}

fn node(secret: u8) -> NodeId {
    NodeId::from_key(SigningKey::from_bytes(&[secret; 32]).verifying_key().to_bytes()).unwrap()
}

fn ticket(node: NodeId) -> String {
    Ticket::new(node, [], None).to_string()
}

/// What bob and alice say to each other, by their vectors' names.
pub fn frames() -> [(&'static str, Frame); 6] {
    let (alice, bob) = (node(0xa1), node(0xb0));
    let code = Code::parse("7-copper-lantern").unwrap();
    let mut host = Host::new(alice, code);
    let (joiner, ask) = Joiner::ask(bob, &code, alice, &mut Same(0xb0));
    let Frame::Ask { number, element } = ask else { panic!("it asks") };
    let Some(Ok((run, answer))) = host.ask(bob, (number, element), &mut Same(0xa1)) else { panic!("it answers") };
    let Frame::Answer { element } = answer else { panic!("it answers") };
    let (proving, proof) = joiner.prove(&element, ticket(bob).as_bytes()).unwrap();
    let Frame::Proof { tag, sealed } = &proof else { panic!("it proves") };
    let Ok(proven) = host.prove(run, tag, sealed) else { panic!("it has the code") };
    assert_eq!(proven.said, ticket(bob).as_bytes());
    let welcome = proven.welcome(ticket(alice).as_bytes());
    let Frame::Welcome { tag, sealed } = &welcome else { panic!("it is welcome") };
    assert_eq!(proving.welcomed(tag, sealed), Ok(ticket(alice).into_bytes()));
    [
        ("pair-ask", ask),
        ("pair-answer", answer),
        ("pair-proof", proof),
        ("pair-welcome", welcome),
        ("pair-done", Frame::Done),
        ("pair-refused", Frame::Refused(Refusal::Wrong { left: 2 })),
    ]
}

#[test]
fn every_frame_of_the_pairing_on_the_page_decodes_to_what_it_says() {
    let page = vectors();
    for (name, frame) in frames() {
        assert_eq!(Frame::decode(&page[name]), Ok(frame), "{name}");
    }
}
