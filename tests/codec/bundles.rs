//! Bundles there and back.

use dak::bundle::{Bundle, Hops, Unverified};
use dak::time::Millis;

use crate::common::{alice, message};

#[test]
fn a_signed_bundle_reads_back() {
    let bundle = message().sign(b"payload", &alice()).unwrap();
    assert_eq!(bundle.payload(), b"payload");
    assert_eq!(bundle.primary(), message().primary());
    let (again, hops) = Bundle::decode(bundle.bytes()).unwrap();
    assert_eq!((&again, hops), (&bundle, Hops::default()));

    let hops = Hops { age: Millis(70_000), count: 3 };
    let wire = bundle.encode(hops);
    let unverified = Unverified::parse(&wire).unwrap();
    assert_eq!((unverified.id(), unverified.hops()), (bundle.id, hops));
    let (again, _) = unverified.verify().unwrap();
    assert_eq!(again.id, bundle.id);
    assert_eq!(again.bytes(), wire);
    assert_eq!(again.encode(Hops::default()), bundle.bytes());
    assert_eq!(Bundle::from_store(&wire).unwrap(), (again, hops));
}
