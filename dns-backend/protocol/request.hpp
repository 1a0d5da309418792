// What PowerDNS asks: one line of JSON in, one typed request out (PowerDNS Authoritative 4.7 to 5.1, remote backend).
//
// PowerDNS is read leniently, because its versions differ: numbers may be numeric strings ("2.000000" too), booleans
// may be 0 and 1, an id of -1 may arrive as 4294967295. A name or type that cannot exist is no error of the connection,
// since clients on the Internet choose them: it becomes an empty optional, and the answer is "nothing there". What is
// no JSON, has no method or lacks a needed field is a Failure (errc::bad_request); the session then closes the
// connection.
//
// Threads: pure functions and plain values.
#pragma once

#include "base/result/result.hpp"
#include "dns-backend/dns/name.hpp"
#include "dns-backend/dns/rrset.hpp"
#include "dns-backend/geo/geo.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace remote {

enum class errc {
  bad_request = 1,  // no JSON, no method, a field missing or of the wrong type
  too_large,        // a line above limit_of(it), a transaction above its limit
  unavailable,      // nothing can be answered truthfully now: close the connection
};
boost::system::error_code make_error_code(errc code);

// Octets in one request, the newline included. Only what carries a zone's content may be longer: a transfer names all
// its empty non-terminals in one request, a large RRset comes in one, and an octet may take four characters.
inline constexpr std::size_t request_limit = 65536;
inline constexpr std::size_t content_limit = 16U << 20U;

// Which of the two holds for the request that begins so: PowerDNS names the method first.
[[nodiscard]] std::size_t limit_of(std::string_view begin);

// Wire names are those of the protocol; `unsupported` stands for every other.
enum class Method : std::uint8_t {
  initialize,
  lookup,
  api_lookup,
  list,
  get_all_domains,
  get_domain_info,
  get_all_domain_metadata,
  get_domain_metadata,
  set_domain_metadata,
  get_domain_keys,
  add_domain_key,
  remove_domain_key,
  activate_domain_key,
  deactivate_domain_key,
  publish_domain_key,
  unpublish_domain_key,
  get_before_and_after,
  get_tsig_key,
  get_tsig_keys,
  set_tsig_key,
  delete_tsig_key,
  start_transaction,
  commit_transaction,
  abort_transaction,
  feed_record,
  feed_ents,
  feed_ents3,
  replace_rrset,
  set_notified,
  set_fresh,
  set_stale,
  get_updated_masters,
  get_unfresh_slave_infos,
  super_master_backend,
  create_slave_domain,
  search_records,
  direct_backend_cmd,
  unsupported,
};
inline constexpr std::size_t method_count = static_cast<std::size_t>(Method::unsupported) + 1;

[[nodiscard]] std::string_view to_text(Method method);          // "getDomainInfo"; "other" for unsupported
[[nodiscard]] Method parse_method(std::string_view wire_name);  // unsupported when unknown

using MaybeName = std::optional<dns::Name>;    // empty: no such name can exist
using MaybeType = std::optional<dns::RRType>;  // empty: no such type is served
inline constexpr std::int64_t any_zone = -1;

// Nothing but the method matters: initialize, getTSIGKeys, getUpdatedMasters, getUnfreshSlaveInfos.
struct Plain {};
// A method that is not the protocol's, as it was named.
struct Unknown {
  std::string method;
};
struct AllDomains {
  // Ours, not PowerDNS's: `navigator pipe` asks for everything about each zone however many there are.
  bool complete = false;
};
struct Lookup {
  std::string qname;  // as asked: case is echoed
  MaybeName name;
  MaybeType type;  // type_any for ANY
  std::int64_t zone_id = any_zone;
  geo::Client client = {};
};
// list, getDomainInfo, getAllDomainMetadata, getDomainKeys
struct OfZone {
  MaybeName zone;
};
struct Metadata {
  MaybeName zone;
  std::string kind;
  std::vector<std::string> values;  // setDomainMetadata only; empty deletes
};
struct AddKey {
  MaybeName zone;
  std::uint32_t flags = 0;
  bool active = true;
  bool published = true;
  std::string content;
};
struct KeyOf {  // remove, activate, deactivate, publish, unpublish
  MaybeName zone;
  std::int64_t id = 0;
};
struct BeforeAndAfter {
  std::int64_t zone_id = any_zone;
  std::string qname;  // relative name, or a base32hex hash
};
struct Tsig {
  std::string name;  // lower case, final dot
  std::string algorithm;
  std::string content;
};
struct Record {
  std::string qname;
  std::string qtype;  // empty: an empty non-terminal
  std::string content;
  std::uint32_t ttl = 3600;
};
struct StartTransaction {
  MaybeName zone;
  std::int64_t domain_id = any_zone;  // -1: edit in place; otherwise the whole zone is replaced
};
struct FeedRecord {
  Record record;
};
struct ReplaceRRset {
  std::int64_t domain_id = any_zone;
  MaybeName owner;
  MaybeType type;  // type_any: every type
  std::vector<Record> records;
};
struct Notified {
  std::int64_t zone_id = any_zone;
  std::uint32_t serial = 0;
};
struct ZoneId {  // setFresh, setStale
  std::int64_t zone_id = any_zone;
};
struct FromAutoprimary {  // superMasterBackend: a NOTIFY of an unknown zone came from `ip`
  std::string ip;
  MaybeName zone;
  std::vector<std::string> nameservers;  // contents of the zone's NS records there
};
struct CreateSecondary {
  std::string ip;
  MaybeName zone;
  std::string nameserver;
  std::string account;
};
struct Search {
  std::string pattern;
  std::size_t results_max = 0;
};
struct Command {
  std::string text;
};

struct Request {
  Method method = Method::unsupported;
  std::variant<Plain, Unknown, AllDomains, Lookup, OfZone, Metadata, AddKey, KeyOf, BeforeAndAfter, Tsig,
               StartTransaction, FeedRecord, ReplaceRRset, Notified, ZoneId, FromAutoprimary, CreateSecondary, Search,
               Command>
      body;
};

// `line` with or without its newline.
base::Result<Request> parse_request(std::string_view line);

// True for what changes the store or belongs to a transaction (write.hpp); false for what answer.hpp answers.
[[nodiscard]] bool is_write(Method method);

}  // namespace remote

template <>
struct boost::system::is_error_code_enum<remote::errc> : std::true_type {};
