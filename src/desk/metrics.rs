//! What a node counts and holds, for whoever watches many of them.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

use super::Desk;
use crate::api::ApiError;
use crate::api::model::Metrics;

impl Desk {
    pub(super) async fn metrics(&self) -> Result<Metrics, ApiError> {
        let mut metrics = Metrics::default();
        let healthy = self.health().await.ok;
        self.of_the_program(&mut metrics, healthy);
        self.of_the_network(&mut metrics).await?;
        self.of_custody(&mut metrics).await?;
        self.of_the_store(&mut metrics);
        of_the_process(&mut metrics);
        Ok(metrics)
    }

    fn of_the_program(&self, metrics: &mut Metrics, healthy: bool) {
        let version = Some(("version", env!("CARGO_PKG_VERSION")));
        metrics.family("dak_build_info", "gauge", "The version of dak that runs.", [(version, 1_u64)]);
        metrics.gauge("dak_healthy", "Whether the node does its work: 1, or 0.", u64::from(healthy));
        let up = self.inner.started.elapsed().as_secs_f64();
        metrics.gauge("dak_uptime_seconds", "Since the node was started.", up);
    }

    async fn of_the_network(&self, metrics: &mut Metrics) -> Result<(), ApiError> {
        let now = self.look(|agent, _| agent.contacts().count()).await?;
        let totals = self.totals();
        let nearby = self.node().nearby().around(Instant::now()).len();
        metrics.gauge("dak_contacts", "Contacts that last now.", now);
        metrics.counter("dak_contacts_met_total", "Contacts that began.", totals.contacts);
        metrics.gauge("dak_nearby_nodes", "Nodes that could be met now.", nearby);
        metrics.counter("dak_received_bytes_total", "Bytes that peers sent, handshakes included.", totals.bytes_in);
        metrics.counter("dak_sent_bytes_total", "Bytes sent to peers, handshakes included.", totals.bytes_out);
        let refused = self.node().refused();
        metrics.counter("dak_refused_total", "Bundles and frames of peers that were refused.", refused);
        let faults = self.node().faults();
        metrics.counter("dak_faults_total", "Contacts that a fault of the program ended.", faults);
        Ok(())
    }

    async fn of_custody(&self, metrics: &mut Metrics) -> Result<(), ApiError> {
        let usage = self.look(|agent, _| agent.usage()).await?;
        let class = |at: usize| Some(("class", ["topics", "strangers", "contacts", "own"][at]));
        let grade = |at: usize| Some(("grade", ["released", "copy", "custody"][at]));
        let ([.., (own, _)], [.., (custody, _)]) = (usage.by_class, usage.by_grade);
        let help = "Messages that wait for their recipients: own ones, and those in custody for others.";
        metrics.gauge("dak_backlog_messages", help, own + custody);
        let bundles = (0..4).map(|at| (class(at), usage.by_class[at].0));
        metrics.family("dak_held_bundles", "gauge", "Bundles held, by whose they are.", bundles);
        let bytes = (0..4).map(|at| (class(at), usage.by_class[at].1));
        metrics.family("dak_held_bytes", "gauge", "What they count against quotas.", bytes);
        let bundles = (0..3).map(|at| (grade(at), usage.by_grade[at].0));
        metrics.family("dak_carried_bundles", "gauge", "Bundles carried for others, by what was promised.", bundles);
        let bytes = (0..3).map(|at| (grade(at), usage.by_grade[at].1));
        metrics.family("dak_carried_bytes", "gauge", "What they count against the quota.", bytes);
        metrics.gauge("dak_carry_limit_bytes", "Room for the bundles of others.", usage.quota_bytes);
        metrics.gauge("dak_held_receipts", "Receipts held.", usage.receipts);
        let evicted = (0..3).map(|at| (grade(at), usage.evicted[at]));
        metrics.family("dak_evicted_total", "counter", "Bundles given up for want of room.", evicted);
        Ok(())
    }

    fn of_the_store(&self, metrics: &mut Metrics) {
        let reader = self.node().reader();
        metrics.gauge("dak_store_bytes", "What the store takes on the disk.", reader.file_bytes());
        if let Ok(room) = reader.room_bytes() {
            metrics.gauge("dak_store_room_bytes", "What the store can still take.", room);
        }
        metrics.counter("dak_store_written_bytes_total", "Bytes written to the store.", reader.written_bytes());
        metrics.counter("dak_store_syncs_total", "How often the disk was asked to make sure.", reader.syncs());
    }
}

/// What every program that is watched says of itself, by the names that all use.
fn of_the_process(metrics: &mut Metrics) {
    let Some(process) = Process::of_this() else { return };
    metrics.counter("process_cpu_seconds_total", "Processor time, of user and system.", process.cpu_secs);
    metrics.gauge("process_resident_memory_bytes", "Memory that is resident.", process.resident_bytes);
    metrics.gauge("process_virtual_memory_bytes", "Memory that is addressed.", process.virtual_bytes);
    metrics.gauge("process_start_time_seconds", "When it started, since the Unix epoch.", process.started_secs);
    metrics.gauge("process_open_fds", "Files that are open.", process.open_files);
    metrics.gauge("process_max_fds", "Files that may be open.", super::descriptors::allowed());
}

struct Process {
    cpu_secs: f64,
    resident_bytes: u64,
    virtual_bytes: u64,
    started_secs: f64,
    open_files: usize,
}

impl Process {
    /// As Linux tells it (proc(5)); nothing elsewhere.
    fn of_this() -> Option<Process> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // The program's name is the second word, in parentheses, and may have anything in it.
        let words: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |at: usize| words.get(at - 3)?.parse::<u64>().ok();
        let ticks = rustix::param::clock_ticks_per_second() as f64;
        let up = clock_gettime(ClockId::Boottime).tv_sec as f64;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs_f64();
        Some(Process {
            cpu_secs: (number(14)? + number(15)?) as f64 / ticks,
            virtual_bytes: number(23)?,
            resident_bytes: number(24)? * rustix::param::page_size() as u64,
            started_secs: now - up + number(22)? as f64 / ticks,
            open_files: std::fs::read_dir("/proc/self/fd").ok()?.count(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_tells_of_itself() {
        let process = Process::of_this().unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        assert!(process.resident_bytes > 1 << 20 && process.virtual_bytes >= process.resident_bytes);
        assert!(process.open_files >= 3 && process.started_secs <= now + 1.0 && process.started_secs > 1.0);
    }
}
