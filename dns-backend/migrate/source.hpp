// Where zones come from: what PowerDNS holds of each, made into what Navigator stores, with everything that cannot be
// taken named.
//
// Threads: a Source blocks and belongs to one thread; assemble() is a pure function. The command line only.
#pragma once

#include "base/result/result.hpp"
#include "dns-backend/dns/rrset.hpp"
#include "dns-backend/store/store.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace migrate {

enum class errc {
  unreachable = 1,  // the database or server cannot be opened or asked
  refused,          // the other side says no (AXFR refused, wrong TSIG key)
  bad_answer,       // what came is not what was asked for
  bad_source,       // the source's name makes no sense
};
boost::system::error_code make_error_code(errc code);

// A record, or with an empty type the whole zone, that is not taken.
struct Refused {
  std::string name;
  std::string type;
  std::string content;
  std::string reason;
};

struct Zone {
  std::string name;  // as the source writes it
  std::optional<dns::Name> apex;
  store::ZoneSettings settings;
  std::vector<dns::OwnedRRset> rrsets;
  std::map<std::string, std::vector<std::string>> metadata;
  std::vector<store::Key> keys;
  std::vector<Refused> refused;
  std::size_t disabled = 0;  // records left out because they are disabled there and so not served
};

class Source {
 public:
  Source() = default;
  Source(Source const&) = delete;
  Source& operator=(Source const&) = delete;
  virtual ~Source() = default;

  virtual base::Result<std::vector<std::string>> zones() = 0;
  virtual base::Result<Zone> zone(std::string const& name) = 0;
  virtual base::Result<std::vector<store::TsigKey>> tsig_keys() = 0;
  virtual base::Result<std::vector<store::Autoprimary>> autoprimaries() = 0;
};

// One row of PowerDNS's SQL schema, as its generic SQL backends keep it.
struct DomainRow {
  std::string name, type, masters, account;
};
struct RecordRow {
  std::optional<std::string> name, type, content;
  std::int64_t ttl = 0;
  std::int64_t priority = 0;
  bool disabled = false;
};
// Settings and records of a zone from its rows: empty non-terminals are left out (Navigator derives them), the priority
// of MX and SRV joins the content, records of one set with different TTLs get the lowest. A zone whose content breaks a
// rule of zones (two SOAs, CNAME beside other data, ...) has those rules among `refused`.
Zone assemble(DomainRow const& domain, std::vector<RecordRow> const& records);

// The body of the API's PUT /v1/zones/{zone}/restore; the zone has an apex.
boost::json::object json(Zone const& zone);

// A gsqlite3 database; it is opened to be read only.
base::Result<std::unique_ptr<Source>> open_sqlite(std::string const& path);
// A gpgsql database; `conninfo` is a libpq connection URI or string.
base::Result<std::unique_ptr<Source>> open_postgres(std::string const& conninfo);

// "axfr://host:port/zone": one zone, its kind "native"; it fails as name_server does.
base::Result<std::unique_ptr<Source>> open_axfr(std::string const& url, std::optional<store::TsigKey> key,
                                                std::function<void(std::size_t)> progress);

// By the form of `source`: axfr://..., a libpq conninfo (postgresql://..., "host=... dbname=..."), else the path of a
// gsqlite3 database, with or without sqlite://. The other arguments are for transfers.
base::Result<std::unique_ptr<Source>> open_source(std::string const& source, std::optional<store::TsigKey> key,
                                                  std::function<void(std::size_t)> progress);

}  // namespace migrate

template <>
struct boost::system::is_error_code_enum<migrate::errc> : std::true_type {};
