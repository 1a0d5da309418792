// CAA records for tenants' names: the CAs in use may issue, for our account there and by the challenge in use, and
// nobody else may (RFC 8659, with RFC 8657's accounturi and validationmethods).
//
// A CA's row makes it part of every tenant's CAA RRset (dns-backend/writes/caa.hpp). What is new is at every site, and
// what was there before is out of the CA's caches, before an order counts on it: make before break.
//
// Threads: belongs to the control loop; the functions are pure.
#pragma once

#include "acme/gate/dns01.hpp"
#include "base/net/task.hpp"
#include "dns-backend/store/store.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace acme {

struct CaaIssuer {
  std::string directory_url;
  std::vector<std::string> identities;  // what the CA answers to; the first is named
  std::string account_url;
  std::string method;  // "dns-01"
};
// The value of its properties; nothing when the CA cannot be named: it says no identity, or one of these has octets
// that a CAA record's parameter cannot hold.
[[nodiscard]] std::optional<std::string> caa_value(CaaIssuer const& issuer);

// The contents of the CAA RRset at a name in our zones, as it is served now; empty: it has none here.
[[nodiscard]] std::vector<std::string> caa_contents(store::Snapshot const& snapshot, std::string const& name);

// Where CAA records are to be looked up elsewhere: the closest name above `name` (or itself) that no zone of ours
// holds; empty when one of ours has them before, as the closest govern (RFC 8659 section 3).
[[nodiscard]] std::string first_elsewhere(store::Snapshot const& snapshot, std::string const& name);

class CaaRecords {
 public:
  CaaRecords(store::Store& store, Dns01& dns01) : store_(store), dns01_(dns01) {}

  // The CA may issue for every tenant's name, at every site in service: at once when it is so already. errc::not_ready
  // names the sites that are behind; the row is there then. A CA that cannot be named gets none, which is no failure.
  net::Task<base::Result<void>> admit(CaaIssuer issuer);
  // Of all other CAs the rows go.
  net::Task<base::Result<void>> keep(std::set<std::string> directories);
  // What the sites must answer at this name for an order there: of its CAA RRset what names the CA.
  [[nodiscard]] std::vector<Expected> expected(std::string const& name, CaaIssuer const& issuer) const;

 private:
  store::Store& store_;
  Dns01& dns01_;
  std::map<std::string, std::string> admitted_;  // by directory: this value is at every site
  std::set<std::string> fresh_;                  // directories whose value CAs' caches may lack
};

}  // namespace acme
