#![no_main]

libfuzzer_sys::fuzz_target!(init: dak_fuzz::write_seeds("bundle"), |data: &[u8]| dak_fuzz::decoders::bundle(data));
