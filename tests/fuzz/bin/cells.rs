#![no_main]

libfuzzer_sys::fuzz_target!(init: dak_fuzz::write_seeds("cells"), |data: &[u8]| dak_fuzz::cells::cells(data));
