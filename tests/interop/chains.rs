//! Chains of certificates made for one run, each with one thing that is wrong or odd, for judges of what domains publish.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, NameConstraints,
};
use rustls::pki_types::CertificateDer;

/// Whom the certificates are for, and the name that its domain publishes keys under.
pub const HOST: &str = "mx.partner.example";

/// Chains that not every judge judges alike.
pub const COMMON_NAME: &str = "with a common name alone";
pub const MAY_SIGN: &str = "that may sign";
pub const SELF_SIGNED_AND_MAY_SIGN: &str = "self-signed, and may sign";
pub const BELOW_A_LAST_ROOT: &str = "under an issuer below a root that allows none";

type Authority = CertifiedIssuer<'static, KeyPair>;
type Der = CertificateDer<'static>;

/// What one peer shows, and whom its domain may name.
pub struct Chain {
    pub what: &'static str,
    /// Its own certificate first.
    pub shown: Vec<Der>,
    /// PEM.
    pub key: String,
    /// Certificates that records are made of: those shown, those that were left out, and a stranger's as the last.
    pub named: Vec<Der>,
}

/// The authorities of a run.
pub struct Authorities {
    root: Authority,
    /// Below the root.
    issuer: Authority,
    stranger: Authority,
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn authority(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn key() -> KeyPair {
    KeyPair::generate().unwrap()
}

fn root(params: CertificateParams) -> Authority {
    CertifiedIssuer::self_signed(params, key()).unwrap()
}

fn below(root: &Authority, params: CertificateParams) -> Authority {
    CertifiedIssuer::signed_by(params, key(), root).unwrap()
}

/// A certificate for `name`; its own name in the old place is another.
fn leaf(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "a server");
    params
}

fn ended(mut params: CertificateParams) -> CertificateParams {
    (params.not_before, params.not_after) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2021, 1, 1));
    params
}

fn to_come(mut params: CertificateParams) -> CertificateParams {
    params.not_before = rcgen::date_time_ymd(2090, 1, 1);
    params
}

/// No issuer may stand below it.
fn that_signs_leaves(mut params: CertificateParams) -> CertificateParams {
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params
}

fn constrained(name: &str) -> CertificateParams {
    let mut params = authority(name);
    let permitted_subtrees = vec![GeneralSubtree::DnsName("elsewhere.example".to_owned())];
    params.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
    params
}

fn for_clients(mut params: CertificateParams) -> CertificateParams {
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

fn that_may_sign(mut params: CertificateParams) -> CertificateParams {
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

impl Authorities {
    pub fn new() -> Authorities {
        let root = root(authority("root"));
        let issuer = below(&root, authority("issuer"));
        Authorities { issuer, root, stranger: self::root(authority("stranger")) }
    }

    /// A leaf that `by` signed, shown with `others`; `absent` are left out.
    fn signed(
        &self,
        what: &'static str,
        (params, by): (CertificateParams, &Issuer<'_, KeyPair>),
        (others, absent): (&[&Der], &[&Der]),
    ) -> Chain {
        let own = key();
        let certificate = params.signed_by(&own, by).unwrap();
        self.chain(what, (certificate.der(), &own), (others, absent))
    }

    fn self_signed(&self, what: &'static str, params: CertificateParams) -> Chain {
        let own = key();
        let certificate = params.self_signed(&own).unwrap();
        self.chain(what, (certificate.der(), &own), (&[], &[]))
    }

    fn chain(&self, what: &'static str, (own, key): (&Der, &KeyPair), (others, absent): (&[&Der], &[&Der])) -> Chain {
        let shown: Vec<Der> = [&[own], others].concat().into_iter().cloned().collect();
        let mut named: Vec<Der> = shown.iter().chain(absent.iter().copied()).cloned().collect();
        named.push(self.stranger.der().clone());
        Chain { what, shown, key: key.serialize_pem(), named }
    }

    pub fn chains(&self) -> Vec<Chain> {
        [self.whole_and_not(), self.with_another_leaf(), self.with_other_authorities(), self.alone()]
            .into_iter()
            .flatten()
            .collect()
    }

    fn whole_and_not(&self) -> Vec<Chain> {
        let (issuer, root) = (self.issuer.der(), self.root.der());
        let good = || (leaf(HOST), &*self.issuer);
        vec![
            self.signed("whole", good(), (&[issuer, root], &[])),
            self.signed("without its root", good(), (&[issuer], &[root])),
            self.signed("without its issuer", good(), (&[root], &[issuer])),
            self.signed("the leaf alone", good(), (&[], &[issuer, root])),
            self.signed("in another order", good(), (&[root, issuer], &[])),
        ]
    }

    fn with_another_leaf(&self) -> Vec<Chain> {
        let mut by_common_name = named(HOST);
        by_common_name.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let leaves = [
            ("that ended", ended(leaf(HOST))),
            ("that is to come", to_come(leaf(HOST))),
            ("for another name", leaf("mx.elsewhere.example")),
            ("for every host", leaf("*.partner.example")),
            (COMMON_NAME, by_common_name),
            ("for clients", for_clients(leaf(HOST))),
            (MAY_SIGN, that_may_sign(leaf(HOST))),
        ];
        let others = [self.issuer.der(), self.root.der()];
        leaves.into_iter().map(|(what, leaf)| self.signed(what, (leaf, &self.issuer), (&others, &[]))).collect()
    }

    fn with_other_authorities(&self) -> Vec<Chain> {
        let old_root = root(ended(authority("old root")));
        let narrow_root = root(constrained("narrow root"));
        let mut chains = vec![
            self.signed("under a root that ended", (leaf(HOST), &old_root), (&[old_root.der()], &[])),
            self.signed("under a root for other names", (leaf(HOST), &narrow_root), (&[narrow_root.der()], &[])),
            // Anybody can show certificates that others publish.
            self.signed(
                "of a stranger, with ours shown",
                (leaf(HOST), &self.stranger),
                (&[self.issuer.der(), self.root.der()], &[]),
            ),
        ];
        let last_root = root(that_signs_leaves(authority("last root")));
        let too_low = below(&last_root, authority("too low"));
        let others = [too_low.der(), last_root.der()];
        chains.push(self.signed(BELOW_A_LAST_ROOT, (leaf(HOST), &too_low), (&others, &[])));
        for (what, params) in [
            ("under an issuer that ended", ended(authority("old issuer"))),
            ("under an issuer for other names", constrained("narrow issuer")),
            ("under an issuer that may not sign", named("no issuer")),
        ] {
            let issuer = below(&self.root, params);
            chains.push(self.signed(what, (leaf(HOST), &issuer), (&[issuer.der(), self.root.der()], &[])));
        }
        chains
    }

    fn alone(&self) -> Vec<Chain> {
        vec![
            self.self_signed("self-signed", leaf(HOST)),
            self.self_signed("self-signed and ended", ended(leaf(HOST))),
            self.self_signed("self-signed for another name", leaf("mx.elsewhere.example")),
            self.self_signed(SELF_SIGNED_AND_MAY_SIGN, that_may_sign(leaf(HOST))),
        ]
    }
}
