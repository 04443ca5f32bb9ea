#![no_main]

libfuzzer_sys::fuzz_target!(init: dak_fuzz::write_seeds("pairing"), |data: &[u8]| dak_fuzz::pairing::pairing(data));
