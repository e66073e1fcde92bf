//! A certification authority for one run, and the certificates that peers show: good, expired, self-signed.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::path::{Path, PathBuf};

pub struct Ca {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate with its key.
#[derive(Clone)]
pub struct Leaf {
    pub certificate: String,
    pub key: String,
    der: CertificateDer<'static>,
    key_der: Vec<u8>,
}

impl Ca {
    pub fn new(name: &str) -> Ca {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ca { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    /// For `extra-roots`.
    pub fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join("lab-ca.pem");
        std::fs::write(&path, self.issuer.pem()).unwrap();
        path
    }

    pub fn good(&self, names: &[&str]) -> Leaf {
        self.sign(&params(names))
    }

    pub fn expired(&self, names: &[&str]) -> Leaf {
        let mut params = params(names);
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        self.sign(&params)
    }

    /// Another certificate for the same key, that ended an hour ago.
    pub fn ended(&self, leaf: &Leaf, names: &[&str]) -> Leaf {
        let mut params = params(names);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(1970, 1, 1) + (now - std::time::Duration::from_secs(3_600));
        let key = KeyPair::from_pem(&leaf.key).unwrap();
        self::leaf(&params.signed_by(&key, &self.issuer).unwrap(), &key)
    }

    fn sign(&self, params: &CertificateParams) -> Leaf {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        leaf(&certificate, &key)
    }
}

pub fn self_signed(names: &[&str]) -> Leaf {
    let key = KeyPair::generate().unwrap();
    let certificate = params(names).self_signed(&key).unwrap();
    leaf(&certificate, &key)
}

fn params(names: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::new(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()).unwrap();
    params.distinguished_name.push(DnType::CommonName, *names.first().unwrap_or(&"lab"));
    params
}

fn leaf(certificate: &rcgen::Certificate, key: &KeyPair) -> Leaf {
    Leaf {
        certificate: certificate.pem(),
        key: key.serialize_pem(),
        der: certificate.der().clone(),
        key_der: key.serialize_der(),
    }
}

impl Leaf {
    pub fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key_der.clone()))
    }

    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.der.clone()]
    }

    /// The key's digest in hexadecimal digits, for a TLSA record `3 1 1`.
    pub fn key_digest(&self) -> String {
        use rcgen::PublicKeyData as _;
        let key = KeyPair::from_pem(&self.key).unwrap();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &key.subject_public_key_info());
        digest.as_ref().iter().map(|octet| format!("{octet:02x}")).collect()
    }

    /// `sha256/BASE64` of the public key, computed by rcgen's own view of it.
    pub fn pin(&self) -> String {
        use base64::Engine as _;
        use rcgen::PublicKeyData as _;
        let key = KeyPair::from_pem(&self.key).unwrap();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &key.subject_public_key_info());
        format!("sha256/{}", base64::engine::general_purpose::STANDARD.encode(digest))
    }

    /// Certificate and key as PEM files in `folder`.
    pub fn write(&self, folder: &Path, name: &str) -> (PathBuf, PathBuf) {
        let (certificate, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
        std::fs::write(&certificate, &self.certificate).unwrap();
        std::fs::write(&key, &self.key).unwrap();
        (certificate, key)
    }
}
