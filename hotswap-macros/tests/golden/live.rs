#[live]
#[cfg(feature = "calls")]
fn roll_call(department: &str, day: u8) -> Result<Vec<String>, Refused> {
    Err(Refused)
}

#[live(version = 2, was = "Blaze", crate = renamed)]
struct Fire {
    shots: u32,
}

#[live(prefix = "job_")]
mod jobs {
    fn job_one() {}

    fn two() {}

    struct JobThree(u8);

    mod nested {
        #[live]
        fn four() {}

        enum Job_five {
            Now,
            At { day: u8 },
        }
    }
}
