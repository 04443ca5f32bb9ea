#![no_main]

libfuzzer_sys::fuzz_target!(init: dak_fuzz::write_seeds("hoard"), |data: &[u8]| dak_fuzz::cells::hoard(data));
