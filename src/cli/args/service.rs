//! The node as a service.

use clap::{Args, Subcommand};

pub const SERVICE_HELP: &str = "\
Of a user, it runs while that one is logged in, and always after `loginctl enable-linger`. Of the system, it runs as the \
user dak, and keeps its home in /var/lib/dak: speak to it with `sudo -u dak dak --home /var/lib/dak`.";

#[derive(Args, Debug)]
pub struct Service {
    #[command(subcommand)]
    pub what: ServiceWhat,
}

#[derive(Debug, Subcommand)]
pub enum ServiceWhat {
    /// Have systemd run the node from now on, and start it
    Install {
        #[command(flatten)]
        scope: ScopeArgs,
        /// Print the unit, and change nothing
        #[arg(long)]
        print: bool,
    },
    /// Stop the service and remove its unit; the home stays
    Remove(ScopeArgs),
    /// Tell whether it runs; exits 3 where it does not, and 4 where there is none
    Status(ScopeArgs),
}

#[derive(Args, Clone, Copy, Debug)]
pub struct ScopeArgs {
    /// A service of mine, which is usual for everybody but root
    #[arg(long)]
    pub user: bool,
    /// A service of the machine, which is usual for root
    #[arg(long, conflicts_with = "user")]
    pub system: bool,
}
