//! Project Wycheproof's Ed25519 vectors against the verification that bundles get: canonical keys, `verify_strict`.

use dak::id::NodeId;
use ed25519_dalek::{Signature, VerifyingKey};
use wycheproof::TestResult;
use wycheproof::eddsa::{TestName, TestSet};

fn holds(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = <[u8; 32]>::try_from(key) else { return false };
    let Ok(node) = NodeId::from_key(key) else { return false };
    let Ok(signature) = Signature::from_slice(signature) else { return false };
    VerifyingKey::from_bytes(node.as_bytes()).is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
}

#[test]
fn valid_signatures_hold_and_invalid_ones_do_not() {
    let set = TestSet::load(TestName::Ed25519).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in &set.test_groups {
        for test in &group.tests {
            let held = holds(&group.key.pk, &test.msg, &test.sig);
            match test.result {
                TestResult::Valid => valid += 1,
                TestResult::Invalid => invalid += 1,
                TestResult::Acceptable => panic!("Ed25519 has no acceptable signatures: test {}", test.tc_id),
            }
            assert_eq!(held, test.result == TestResult::Valid, "test {}: {}", test.tc_id, test.comment);
        }
    }
    assert!(valid > 50 && invalid > 50, "{valid} valid and {invalid} invalid signatures");
}
