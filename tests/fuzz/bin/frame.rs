#![no_main]

libfuzzer_sys::fuzz_target!(init: dak_fuzz::write_seeds("frame"), |data: &[u8]| dak_fuzz::decoders::frame(data));
