//! The certificates with which phones know this node: an authority of the home's own, which can speak for the page's name in
//! the local network and for nothing else, and what it signs for that name.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose, NameConstraints, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::api::ApiError;
use crate::home::KeptFile;
use crate::web::now_ms;
use crate::web::sessions::WebError;

const DAY_MS: i64 = 86_400_000;
/// From when and until when the authority holds. No clock has a say in it: a node whose clock was years off when it was made
/// would have phones install one that is over, or not begun, once the clock is right.
const AUTHORITY_MS: (i64, i64) = (946_684_800_000, 2_524_521_600_000);
/// How long a certificate holds; with the days that it goes back, phones take none that holds longer than 398.
const LEAF_DAYS: i64 = 200;
/// After so long another takes its place.
const RENEW_DAYS: i64 = 30;
/// How many days a phone's clock may be behind the node's,
pub const BEHIND_DAYS: i64 = 190;
/// and how many ahead of it: either machine may have none that goes on while it is off.
pub const AHEAD_DAYS: i64 = LEAF_DAYS - RENEW_DAYS;

/// As the home keeps it.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Kept {
    /// For which name it speaks.
    #[serde(default)]
    name: String,
    #[serde(default)]
    key: String,
    #[serde(default)]
    certificate: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leaf: Option<KeptLeaf>,
}

/// What it signed last. It outlives the node: an owner who goes on past a browser's warning does so for one certificate.
#[derive(Clone, Serialize, Deserialize)]
struct KeptLeaf {
    made_ms: i64,
    key: String,
    certificate: String,
}

/// The authority of a home.
pub struct Authority {
    file: KeptFile<Kept>,
    name: String,
    key: KeyPair,
    /// As phones have it.
    certificate: CertificateDer<'static>,
    /// What phones are shown, and when it was signed.
    leaf: Mutex<Option<(Arc<CertifiedKey>, i64)>>,
}

impl Authority {
    /// The one of the home, made the first time: phones that believe it go on doing so.
    pub fn of(path: PathBuf, name: &str) -> Result<Authority, ApiError> {
        let file = KeptFile::<Kept>::at(path);
        let kept = file.get().map_err(WebError::from)?;
        let kept = match kept.name == name {
            true => kept,
            false => {
                let key = KeyPair::generate().map_err(broken)?;
                let certificate = params(name)?.self_signed(&key).map_err(broken)?;
                let (key, certificate) = (key.serialize_pem(), certificate.pem());
                let fresh = Kept { name: name.to_owned(), key, certificate, leaf: None };
                file.change(|kept| {
                    // Another process may have been first.
                    if kept.name != name {
                        *kept = fresh;
                    }
                    Ok::<Kept, WebError>(kept.clone())
                })?
            }
        };
        let certificate = CertificateDer::from_pem_slice(kept.certificate.as_bytes());
        Ok(Authority {
            file,
            name: name.to_owned(),
            key: KeyPair::from_pem(&kept.key).map_err(broken)?,
            certificate: certificate.map_err(broken)?,
            leaf: Mutex::default(),
        })
    }

    /// What phones call it.
    pub fn called(&self) -> String {
        authority_of(&self.name)
    }

    /// The certificate that phones are given, as bytes.
    pub fn der(&self) -> &[u8] {
        &self.certificate
    }

    /// Its fingerprint, as phones show it.
    pub fn fingerprint(&self) -> String {
        let digest = Sha256::digest(self.der());
        digest.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
    }

    /// A certificate for a name and those right below it, where apps are, with its key.
    fn signed(&self, name: &str, now_ms: i64) -> Result<KeptLeaf, ApiError> {
        let key = KeyPair::generate().map_err(broken)?;
        let below = name.parse::<IpAddr>().is_err().then(|| format!("*.{name}"));
        let names = [name.to_owned()].into_iter().chain(below).collect::<Vec<String>>();
        let mut leaf = CertificateParams::new(names).map_err(broken)?;
        leaf.distinguished_name = called(name);
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        hold(&mut leaf, now_ms - BEHIND_DAYS * DAY_MS, now_ms + LEAF_DAYS * DAY_MS);
        let leaf = leaf.signed_by(&key, &self.issuer()?, &self.key).map_err(broken)?;
        Ok(KeptLeaf { made_ms: now_ms, key: key.serialize_pem(), certificate: leaf.pem() })
    }

    /// Whoever signs is known by its name and its key, which are those of the certificate that phones have.
    fn issuer(&self) -> Result<Certificate, ApiError> {
        params(&self.name)?.self_signed(&self.key).map_err(broken)
    }

    fn kept_or_signed(&self, now_ms: i64) -> Result<(CertifiedKey, i64), ApiError> {
        let kept = self.file.get().map_err(WebError::from)?.leaf.filter(|leaf| is_fresh(leaf.made_ms, now_ms));
        if let Some(kept) = kept
            && let Ok(known) = kept.ready()
        {
            return Ok((known, kept.made_ms));
        }
        let fresh = self.signed(&self.name, now_ms)?;
        let ready = fresh.ready()?;
        let keep = |kept: &mut Kept| {
            kept.leaf = Some(fresh);
            Ok::<(), WebError>(())
        };
        if let Err(error) = self.file.change(keep) {
            tracing::warn!(%error, "phones that know this certificate will be asked about another one");
        }
        Ok((ready, now_ms))
    }

    fn leaf(&self, now_ms: i64) -> Option<Arc<CertifiedKey>> {
        let mut leaf = self.leaf.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, made_ms)) = &*leaf
            && is_fresh(*made_ms, now_ms)
        {
            return Some(Arc::clone(known));
        }
        match self.kept_or_signed(now_ms) {
            Ok((fresh, made_ms)) => {
                let fresh = Arc::new(fresh);
                *leaf = Some((Arc::clone(&fresh), made_ms));
                Some(fresh)
            }
            Err(error) => {
                tracing::error!(%error, "phones cannot be shown who this node is");
                None
            }
        }
    }
}

impl KeptLeaf {
    fn ready(&self) -> Result<CertifiedKey, ApiError> {
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes()).map_err(broken)?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).map_err(broken)?;
        let key = rustls::crypto::ring::sign::any_ecdsa_type(&key).map_err(broken)?;
        Ok(CertifiedKey::new(vec![certificate], key))
    }
}

/// Whether what was signed then still does; a clock that was set back makes it one of the future.
fn is_fresh(made_ms: i64, now_ms: i64) -> bool {
    (0..RENEW_DAYS * DAY_MS).contains(&(now_ms - made_ms))
}

/// Of whatever name is asked for: who asks for another does not believe it anyway.
impl ResolvesServerCert for Authority {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.leaf(now_ms())
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("name", &self.name).finish_non_exhaustive()
    }
}

fn params(name: &str) -> Result<CertificateParams, ApiError> {
    let mut params = CertificateParams::new(Vec::new()).map_err(broken)?;
    params.distinguished_name = called(&authority_of(name));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // Whoever takes its key can pretend to be this page, and no other place that a phone goes to.
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName(name.to_owned())],
        excluded_subtrees: vec![
            GeneralSubtree::IpAddress(CidrSubnet::V4([0; 4], [0; 4])),
            GeneralSubtree::IpAddress(CidrSubnet::V6([0; 16], [0; 16])),
        ],
    });
    hold(&mut params, AUTHORITY_MS.0, AUTHORITY_MS.1);
    Ok(params)
}

fn authority_of(name: &str) -> String {
    format!("dak at {name}")
}

fn called(name: &str) -> DistinguishedName {
    let mut called = DistinguishedName::new();
    called.push(DnType::CommonName, name);
    called
}

/// From and until when a certificate holds, in milliseconds since the Unix epoch.
fn hold(params: &mut CertificateParams, from_ms: i64, until_ms: i64) {
    let since_epoch = |ms: i64| Duration::from_millis(u64::try_from(ms).unwrap_or(0));
    params.not_before = date_time_ymd(1970, 1, 1) + since_epoch(from_ms);
    params.not_after = date_time_ymd(1970, 1, 1) + since_epoch(until_ms);
}

fn broken(error: impl std::fmt::Display) -> ApiError {
    ApiError::failure(format!("the certificates for phones cannot be made: {error}"))
}

#[cfg(test)]
mod tests {
    use rustls::RootCertStore;
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier;
    use rustls::pki_types::{ServerName, UnixTime};

    use super::*;

    const NAME: &str = "dak-aaaaaaaa.local";

    fn verified(authority: &Authority, signed: &CertifiedKey, name: &str, now_ms: i64) -> Result<(), rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(authority.certificate.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_millis(now_ms as u64));
        verifier.verify_server_cert(&signed.cert[0], &[], &name, &[], now).map(drop)
    }

    #[test]
    fn the_authority_speaks_for_its_name_and_for_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("web-ca.toml");
        let authority = Authority::of(path.clone(), NAME).unwrap();
        let now = now_ms();
        let good = authority.signed(NAME, now).unwrap().ready().unwrap();
        assert_eq!(verified(&authority, &good, NAME, now), Ok(()));
        assert_eq!(
            verified(&authority, &good, &format!("app-aaaa.{NAME}"), now),
            Ok(()),
            "an app has a name of its own"
        );
        for other in ["app-aaaa.local", "app-aaaadak-aaaaaaaa.local", "a.app-aaaa.dak-aaaaaaaa.local"] {
            assert!(verified(&authority, &good, other, now).is_err(), "{other}");
        }
        // Phones whose clocks are off, or that come again after months.
        for later in [-BEHIND_DAYS * DAY_MS + 1_000, -20 * 3_600_000, 60 * DAY_MS, AHEAD_DAYS * DAY_MS] {
            assert_eq!(verified(&authority, &good, NAME, now + later), Ok(()), "{later}");
        }
        for later in [-(BEHIND_DAYS + 1) * DAY_MS, (LEAF_DAYS + 1) * DAY_MS] {
            assert!(verified(&authority, &good, NAME, now + later).is_err(), "{later}");
        }
        for other in ["bank.example", "dak-bbbbbbbb.local", "local", "127.0.0.1", "192.168.1.5", "::1"] {
            let forged = authority.signed(other, now).unwrap().ready().unwrap();
            let error = verified(&authority, &forged, other, now).unwrap_err();
            assert!(format!("{error:?}").contains("NameConstraintViolation"), "{other}: {error:?}");
        }
        // A node whose clock is years off signs what phones believe whose clocks are off like it, and once it is right all do.
        for off in [-20 * 365 * DAY_MS, 15 * 365 * DAY_MS] {
            let odd = authority.signed(NAME, now + off).unwrap().ready().unwrap();
            assert!(verified(&authority, &odd, NAME, now).is_err());
            assert_eq!(verified(&authority, &odd, NAME, now + off), Ok(()));
        }
        // Another start has the same.
        let again = Authority::of(path, NAME).unwrap();
        assert_eq!(again.fingerprint(), authority.fingerprint());
        assert_eq!(verified(&authority, &again.signed(NAME, now).unwrap().ready().unwrap(), NAME, now), Ok(()));
    }

    #[test]
    fn certificates_are_renewed_long_before_their_end_and_when_a_clock_was_set_back() {
        let place = tempfile::tempdir().unwrap();
        let authority = Authority::of(place.path().join("web-ca.toml"), NAME).unwrap();
        let now = now_ms();
        let first = authority.leaf(now).unwrap();
        let is_first = |at: i64| authority.leaf(at).unwrap().cert[0] == first.cert[0];
        assert!(is_first(now + 29 * DAY_MS));
        assert!(!is_first(now + 31 * DAY_MS));
        let later = authority.leaf(now + 31 * DAY_MS).unwrap();
        let back = authority.leaf(now).unwrap();
        assert!(back.cert[0] != later.cert[0], "a clock that was set back");
        let again = Authority::of(place.path().join("web-ca.toml"), NAME).unwrap();
        assert!(again.leaf(now + DAY_MS).unwrap().cert[0] == back.cert[0], "another start shows the same");
    }
}
