// Which certificates are wanted, and what became of that since the last look.
//
// Tenants are read once; afterwards the store's own log of changes says which of them to look at (movements.hpp), so
// that a look costs what changed.
//
// Threads: Wishes belongs to the control loop; the functions are pure. What fails is the store.
#pragma once

#include "acme/subjects/movements.hpp"
#include "acme/vault/vault.hpp"
#include "base/net/task.hpp"
#include "dns-backend/domains/domains.hpp"
#include "dns-backend/store/store.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace acme {

using Wanted = domains::WantedCertificate;

[[nodiscard]] char const* name(Wanted::Kind kind);

// What a CA counts names together by: one label above the longest public suffix that the name ends with, of `suffixes`
// or of the Public Suffix List as this system has it (co.uk, github.io); else the last two labels.
[[nodiscard]] std::string registered_domain(std::string const& name, std::vector<std::string> const& suffixes);

// Above whoever owns a subject's challenge values in the store; tenants::journal sweeps what a tenant that is gone
// left.
[[nodiscard]] std::string challenge_owner(std::int64_t tenant_id, std::int64_t subject_id);
// The owner of its orders' values, at whatever CA: one of them runs at a time.
[[nodiscard]] std::string order_owner(std::int64_t tenant_id, std::int64_t subject_id);
// The owner is challenge_owner() + order_infix + "/" + the subject's id.
inline constexpr char const* order_infix = "/order";
// And of its standing proof at one CA, which goes with the subject, or when that CA is asked another way.
[[nodiscard]] std::string standing_owner(std::int64_t tenant_id, std::int64_t subject_id,
                                         std::string const& directory_url);
// The owner is challenge_owner() + standing_infix + "/" + standing_key().
inline constexpr char const* standing_infix = "/standing";
// The same of a rehearsal's values: challenge_owner() + rehearsal_infix + "/now".
inline constexpr char const* rehearsal_infix = "/rehearsal";
[[nodiscard]] std::string standing_key(std::string const& directory_url);

// Whether a certificate of this subject may be served for it: the tenant brought it (then it was looked through), or it
// has exactly the wanted names. It must never go out under other names than it was made for. The newest that fits is
// the one that is served and renewed.
[[nodiscard]] bool fits(Wanted const& wanted, vault::CertificateRow const& row);

// Of these tenants, everything; of others, nothing is said.
struct News {
  bool anew = false;               // of all tenants there are
  std::set<std::int64_t> tenants;  // that changed, gone ones too; with `anew`: all that exist
  std::set<std::int64_t>
      resting;                 // of these: they exist and are not active, so they want nothing and keep what they have
  std::vector<Wanted> wanted;  // only names that can be in certificates
};

class Wishes {
 public:
  // `challenge_zone`: apex below which domains delegate their challenges; empty: none.
  Wishes(store::Store& store, std::string challenge_zone)
      : store_(store), challenge_zone_(std::move(challenge_zone)), movements_(store) {}

  // What changed since the last look that was taken; everything at the first, and when the log does not reach back.
  net::Task<base::Result<News>> follow();
  // The news was used: the next look begins after it. Else it is told again.
  void taken() { movements_.taken(); }
  void forget() { movements_.forget(); }  // the next look is the first again

 private:
  net::Task<base::Result<News>> look(News news);

  store::Store& store_;
  std::string challenge_zone_;
  Movements movements_;
};

}  // namespace acme
