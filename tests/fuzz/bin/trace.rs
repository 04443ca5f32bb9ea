#![no_main]

libfuzzer_sys::fuzz_target!(init: dak_fuzz::write_seeds("trace"), |data: &[u8]| dak_fuzz::texts::trace(data));
