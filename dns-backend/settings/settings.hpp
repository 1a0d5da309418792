// navigator.yaml: everything that is fixed after start. What may change at run time lives in the store.
//
// The smallest file a PowerDNS operator needs:
//
//   store: { url: "sqlite:///var/lib/navigator/navigator.db" }
//   remote: { unix: /run/navigator/remote.sock }
//   api: { unix: /run/navigator/api.sock }   # with listen and key_file: PowerDNS's API for lego, octoDNS, external-dns
//   powerdns: { control: [/run/pdns/pdns.controlsocket] }
//
// docs/powerdns.md says what goes into pdns.conf.
//
// Threads: plain values and pure functions.
#pragma once

#include "base/result/problem.hpp"

#include <boost/system/result.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace navigator {

struct TlsFiles {
  std::string certificate;  // PEM chain
  std::string key;
  std::string ca;   // whose certificates are accepted from the other side
  std::string crl;  // of them, those that are revoked; of api.tls: ca.crl beside ca unless it says otherwise
};

struct ReplicaSettings {
  std::string primary;  // "https://10.200.0.1:18010"
  std::string node;     // the primary's name in its certificate
  TlsFiles tls;
};

// A DNS site as the certificate gate sees it: who follows the feed from there, and where its PowerDNS is asked.
struct SiteSettings {
  std::string name;
  std::string node;     // the name in the certificate of that site's Navigator
  std::string address;  // unicast address of its PowerDNS
  std::uint16_t port = 53;
  std::string url;       // "https://10.200.0.1:18010": verdicts on endpoints are exchanged with it; empty: they are not
  std::string loopback;  // address of that node in the mesh; empty: its cost is not known
};

// Takes TCP connections outside all sites ("192.0.2.1:53"): one that is reached proves the uplink.
struct Witness {
  std::string address;  // an IP address
  std::uint16_t port = 0;
};

// Whom to tell of changes of health.
struct WebhookTarget {
  std::string url;
  std::string secret_file;  // signs what is sent; empty: unsigned
};

// So many at once, and one more each per/count.
struct CaLimit {
  std::uint32_t count = 0;  // 0: none is known
  std::chrono::milliseconds per{0};
};
struct CaLimits {  // absent: what is known of this CA, which is Let's Encrypt's alone
  std::optional<CaLimit> new_orders, registered_domain, exact_set, failures;
};

struct CaSettings {
  std::string directory;         // RFC 8555 directory URL
  std::string ca_bundle;         // PEM; empty: the system's roots
  std::string contact;           // "mailto:ops@example.org"
  std::string profile;           // ordered where the CA offers it; empty: its default
  std::string preferred_issuer;  // common name the chain shall end with; empty: any
  std::string key_type;          // of certificates: p256, p384, rsa2048 or rsa4096
  std::string eab_kid;
  std::string eab_hmac;                      // base64url
  std::string challenge = "dns-01";          // or dns-account-01, dns-persist-01
  std::chrono::milliseconds persist_for{0};  // of a dns-persist-01 record; 0: it has no end of its own
  CaLimits limits;
};

struct AcmeSettings {
  std::vector<CaSettings> authorities;       // at least one; in the order of preference
  std::optional<CaSettings> staging;         // for rehearsals
  std::vector<std::string> public_suffixes;  // names right below them are registered domains to the CA's limits
  std::string master_key;                    // seals the keys of keys: a file, made when absent, or "credential:NAME"
  std::vector<std::string> former_master_keys;  // still opened, never sealed with
  std::chrono::milliseconds gate_timeout{30000};
  std::chrono::milliseconds first_retry{60000};
  std::chrono::milliseconds first_certificate_within{3600000};  // a name that has none then raises an alarm
  bool publish_caa = false;  // for tenants' names; else CAA records are only read before an order
};

struct PlanSettings {
  std::string name;
  std::uint32_t backups = 8;
  std::uint32_t records = 100;
  std::uint32_t domains = 10;
  std::uint32_t tokens = 20;
  std::vector<std::string> clusters;  // empty: any
  std::uint32_t pools = 5;            // of its own
  std::uint32_t origins = 16;         // of one pool
};

// Tenants that nobody made: what a newcomer gets, and how many there may be.
struct SignUpSettings {
  enum class Mode { off, invitation, open };
  Mode mode = Mode::off;
  std::string plan;                   // unless his invitation names one
  std::vector<std::string> clusters;  // the first is the primary unless he asks for another of them; the rest backups
  std::string zone;                   // that he lives in; empty: the topology's domain
  std::uint32_t per_day = 0;          // sign-ups within 24 hours; 0: any number
  std::uint32_t per_hour = 6;         // tries of one client address (of IPv6 a /64)
  std::uint32_t burst = 10;
  std::chrono::milliseconds token_expires{0};  // of the token he gets; 0: never
};

// What tenants may do by themselves.
struct TenantSettings {
  bool self_service = false;                    // bearer tokens on api.listen, without client certificates
  std::chrono::milliseconds overlap{86400000};  // of a former label with the new one
  std::string cluster_zone;                     // each cluster has a name below it; empty: none has
  std::string global_name;                      // of all clusters together; empty: none
  std::string challenge_zone;                   // custom domains delegate their challenges below it; empty: none
  std::string resolver;                         // address that custom domains are verified through; empty: they are not
  std::uint16_t resolver_port = 53;
  std::uint32_t requests_per_second = 10;  // of one token
  std::uint32_t burst = 50;
  std::uint32_t changes_per_day = 10000;  // of one tenant; a fifth of them at once
  std::uint32_t claims_per_day = 100;        // of one tenant: domains and registrations; 0: any number
  std::vector<PlanSettings> plans;           // empty: any name is a plan, with the quotas above
  std::vector<std::string> origins_allowed;  // prefixes where tenants may have origins though they are private
  std::vector<std::string> origins_refused;  // where they may not; the sites' own addresses included
  SignUpSettings sign_up;
};

// The HTTP API of a PowerDNS: the only way to make a new zone known there at once.
struct PowerDnsApi {
  std::string url;  // "http://127.0.0.1:8081"
  std::string key;  // of pdns.conf's api-key; empty: in key_file
  std::string key_file;
};

struct Settings {
  std::string node;  // this machine's name in the topology; empty outside a mesh
  std::string log_level;
  std::string store_url;
  bool store_create = true;       // false: a store that is not there is a fault, not a first start
  std::string remote_unix;        // empty: no unix connector
  std::string remote_unix_group;  // who may ask there; empty: "pdns" where it can be, else this process's
  unsigned remote_unix_mode = 0660;
  std::string remote_http;  // "127.0.0.1:18053"; empty: no http connector
  std::string handover;     // socket for a successor; empty: none
  unsigned remote_threads = 2;
  std::string api_unix;
  std::string api_listen;  // empty: no TCP
  std::optional<TlsFiles> api_tls;
  std::vector<std::string> api_admins;  // certificate names with an administrator's rights
  std::string api_key_file;             // holds the X-API-Key of PowerDNS's API; empty: administrators only
  std::vector<std::string> powerdns_control;
  std::string powerdns_address = "127.0.0.1";  // where this machine's PowerDNS answers, for `navigator check`
  std::uint16_t powerdns_port = 53;
  std::vector<PowerDnsApi> powerdns_api;
  std::string topology;                    // file; the primary makes pools of its clusters
  std::optional<ReplicaSettings> replica;  // absent: this is the primary
  std::vector<SiteSettings> sites;
  std::vector<Witness> witnesses;
  std::vector<WebhookTarget> webhooks;
  unsigned transitions_days = 30;  // how long changes of health are kept
  std::string geo_cidr_map;        // file; empty: none
  std::string geo_mmdb;            // file; empty: none
  std::string mesh_bird;           // control socket of the BIRD that knows the sites' costs; empty: none
  std::optional<AcmeSettings> acme;
  TenantSettings tenants;
};

// A value only when the file has no problem at all.
boost::system::result<Settings, base::Problems> parse_settings(std::string_view text, std::string const& source_name);
boost::system::result<Settings, base::Problems> load_settings(std::string const& path);

}  // namespace navigator
