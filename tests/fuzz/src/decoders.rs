//! Bytes that peers send: bundles, frames, receipts, and what is inside a sealed payload.

use dak::bundle::{Bundle, Ends, Handed, Hops, Signer, Unverified, inspect, unfold};
use dak::cbor::Reader;
use dak::content::{Content, pad, unpad};
use dak::frame::{Frame, Incoming};
use dak::receipt::Receipt;
use dak::time::Millis;
use ed25519_dalek::SigningKey;

use super::memory::bounded;

/// A bundle, as it is and with the checksum of its primary block mended, or hardly any change would get past that.
pub fn bundle(data: &[u8]) {
    one_bundle(data);
    let mut mended = data.to_vec();
    if mend(&mut mended).is_some() && mended != data {
        one_bundle(&mended);
    }
}

fn one_bundle(data: &[u8]) {
    bounded("inspection", data, |data| drop(inspect(data)));
    let claimed = bounded("parse", data, |data| Unverified::parse(data).map(|unverified| unverified.id()));
    let verified = bounded("bundle", data, Bundle::decode);
    let stored = bounded("stored bundle", data, Bundle::from_store);
    // A form that is refused is refused by all three; the signature is asked for by one of them.
    assert_eq!(claimed.is_ok(), stored.is_ok());
    assert!(verified.is_err() || stored.is_ok());
    let Ok((bundle, hops)) = stored else { return };
    assert_eq!(claimed, Ok(bundle.id));
    assert_eq!(bundle.encode(hops), data, "encoding what was decoded gives the same bytes");
    let moved = Hops { age: Millis(hops.age.0.wrapping_add(70_000)), count: hops.count.wrapping_add(1) };
    let wire = bundle.encode(moved);
    let (again, there) = Bundle::from_store(&wire).expect("age and hop count may change");
    assert_eq!((again.id, there), (bundle.id, moved));
    assert_eq!((again.payload(), again.primary()), (bundle.payload(), bundle.primary()));
    if verified.is_ok() {
        assert!(Bundle::decode(&wire).is_ok(), "no hop breaks a signature");
    }
}

/// Writes the right CRC-32C into the primary block, if there is one.
fn mend(bundle: &mut [u8]) -> Option<()> {
    let mut reader = Reader::new(bundle.get(1..)?);
    let end = 1 + reader.skip().ok()?.len();
    let crc_at = end.checked_sub(4).filter(|at| *at > 1)?;
    bundle[crc_at..end].fill(0);
    let crc = bundle[1..end].iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 })
    });
    bundle[crc_at..end].copy_from_slice(&(!crc).to_be_bytes());
    Some(())
}

/// A frame of any kind.
pub fn frame(data: &[u8]) {
    match bounded("frame", data, Incoming::decode) {
        Ok(Incoming::Frame(frame)) => {
            assert_eq!(frame.encoded_len(), data.len());
            assert_eq!(frame.encode().as_deref(), Ok(data), "encoding what was decoded gives the same bytes");
            assert_eq!(Frame::decode(data), Ok(frame));
        }
        Ok(Incoming::Bundle { bytes, .. }) => {
            assert!(Frame::decode(data).is_err());
            bundle(bytes);
        }
        Ok(Incoming::Folded { folded, .. }) => {
            assert!(Frame::decode(data).is_err());
            fold(folded);
        }
        Err(_) => assert!(Frame::decode(data).is_err()),
    }
}

/// A bundle folded between alice and bob, between bob and alice, and between two others.
pub fn fold(data: &[u8]) {
    let [alice, bob, carol] = [0xa1, 0xb0, 0xca].map(|secret| SigningKey::from_bytes(&[secret; 32]).node());
    for (from, to) in [(alice, bob), (bob, alice), (carol, bob)] {
        let ends = Ends { from, to };
        let Ok(bytes) = bounded("fold", data, |data| unfold(data, &ends, Handed::nothing())) else { continue };
        one_bundle(&bytes);
        if let Ok((bundle, hops)) = Bundle::from_store(&bytes) {
            assert_eq!(
                bundle.fold(hops, &ends, Handed::nothing()).as_deref(),
                Some(data),
                "there is one fold of a bundle"
            );
        }
    }
}

pub fn receipt(data: &[u8]) {
    if let Ok(receipt) = bounded("receipt", data, Receipt::decode) {
        assert_eq!(receipt.encode(), data, "encoding what was decoded gives the same bytes");
    }
}

/// What a recipient finds in a payload, padded and bare.
pub fn message(data: &[u8]) {
    if let Ok(inside) = bounded("padding", data, unpad) {
        assert_eq!(pad(inside), data, "there is one way to pad");
        one_message(inside);
    }
    one_message(data);
}

fn one_message(data: &[u8]) {
    if let Ok(message) = bounded("message", data, Content::decode) {
        assert_eq!(message.encode(), data, "encoding what was decoded gives the same bytes");
    }
}
