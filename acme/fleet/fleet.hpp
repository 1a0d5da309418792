// Which edge shall serve which bundle: pure state, fed with what changed.
//
// A tenant's bundles are those of its wanted names that have a certificate; its edges are the endpoints of its pools.
// One change costs the edges of its tenant, a change of pools the tenants of the pools that moved. An edge's list is
// never kept as such: each edge has the sum of its bundles' hashes, which makes the list's sequence, and a bounded log
// of what changed. The same list has the same sequence after a restart.
//
// DNS goes first: a bundle that an edge shall serve no longer stays in its list until every site in service has the
// revision that took it away (release). After that the edge is expected to drop it, and says so by the sequence that
// it applied (confirm).
//
// Threads: plain values, one owner.
#pragma once

#include "acme/subjects/choice.hpp"
#include "acme/subjects/subjects.hpp"
#include "acme/vault/vault.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace acme {

// What an edge serves for one name. Metadata alone: chain and key stay in the vault.
struct EdgeBundle {
  std::string id;                  // "tenant-7" of its own name, "tenant-7-12" of its subject 12
  std::string tenant;              // label: the present one, of a former name that one
  std::vector<std::string> names;  // that it is served for
  std::int64_t subject_id = 0;
  std::int64_t sequence = 0;  // of the certificate
  std::string fingerprint;
  // In an answer: it goes when it is released. Not part of the list's content, so no part of what makes two equal.
  bool leaving = false;
  bool operator==(EdgeBundle const& other) const {
    return id == other.id && tenant == other.tenant && names == other.names && subject_id == other.subject_id &&
           sequence == other.sequence && fingerprint == other.fingerprint;
  }
};

// What decides about one tenant. Of one that is gone or suspended: no `wanted`.
struct TenantFacts {
  std::int64_t tenant_id = 0;
  std::vector<std::string> pools;  // the primary and the backups
  std::vector<Wanted> wanted;
  std::vector<vault::CertificateRow> certificates;
};

class Fleet {
 public:
  using Edges = std::set<std::string>;                         // whose lists changed
  using Pools = std::map<std::string, std::set<std::string>>;  // pool -> names of its endpoints
  using Revision = std::int64_t;
  // Tenant, and its subject; 0 is the tenant's own name.
  using Key = std::pair<std::int64_t, std::int64_t>;
  struct Outcome {
    bool changed = false;  // anything of what is kept, also where no edge has it
    Edges edges;
  };
  struct Delta {
    std::vector<EdgeBundle> bundles;
    std::vector<std::string> gone;  // ids
    bool operator==(Delta const&) const = default;
  };
  struct Page {
    std::vector<EdgeBundle> bundles;
    std::int64_t next = 0;  // to go on after, rising from page to page, else opaque; 0: that was all
  };
  // An edge was heard to have dropped it.
  struct Dropped {
    std::int64_t subject_id = 0;
    std::int64_t tenant_id = 0;
    bool operator==(Dropped const&) const = default;
  };

  // `log_max`: changes of an edge's list that are kept.
  explicit Fleet(std::size_t log_max = 4096) : log_max_(log_max) {}
  Fleet(Fleet const&) = delete;
  Fleet& operator=(Fleet const&) = delete;

  // --- what changed; `revision` is one of the store at which it was so ---
  Outcome set_pools(Pools pools, Revision revision);
  Outcome take(TenantFacts const& facts, crypto::Time now, Revision revision);
  // At the start, behind take(): an edge acknowledged this bundle once (its id is not known). Where the edge shall not
  // serve the subject now, it is leaving. `own`: it looks like the tenant's own name.
  Edges recall(std::string const& edge, std::int64_t tenant_id, EdgeBundle bundle, bool own, Revision revision);
  // Whether the edge's list has a bundle of this subject, leaving or not.
  [[nodiscard]] bool serves(std::string const& edge, std::int64_t tenant_id, std::int64_t subject_id) const {
    auto const found = edges_.find(edge);
    return found != edges_.end() && serves_subject(found->second, tenant_id, subject_id);
  }
  // Every site in service has `everywhere`.
  Edges release(Revision everywhere);
  // The revision that release() waits for next; nothing: none is leaving.
  [[nodiscard]] std::optional<Revision> next_release() const;
  // Tenants with a certificate that ended by `now` since they were taken: they are to be taken again.
  [[nodiscard]] std::vector<std::int64_t> lapsed(crypto::Time now) const;
  [[nodiscard]] std::optional<crypto::Time> next_lapse() const;

  // --- what an edge asks ---
  [[nodiscard]] std::int64_t sequence(std::string const& edge) const;  // 1 ... 2^52
  [[nodiscard]] std::size_t size(std::string const& edge) const;
  [[nodiscard]] std::optional<EdgeBundle> find(std::string const& edge, std::string_view id) const;
  // What changed since the list had this sequence; nothing: that is not known (any more). With `oldest`: since it had
  // it first, even when it has it again. What is leaving and has a name of something in the answer is there too.
  [[nodiscard]] std::optional<Delta> changed_since(std::string const& edge, std::int64_t sequence,
                                                   bool oldest = false) const;
  // At most `most` bundles, at least one, in the order of their keys; a tenant may go on in the next page.
  [[nodiscard]] Page page(std::string const& edge, std::int64_t after, std::size_t most) const;
  // The edge applied the list of this sequence: what it dropped by that since the last time.
  std::vector<Dropped> confirm(std::string const& edge, std::int64_t applied);

  // --- the guard ---
  [[nodiscard]] std::vector<std::int64_t> tenants() const;  // that have bundles
  [[nodiscard]] std::vector<std::string> edges() const;
  // Counts an edge's list anew; false when the sum was wrong, which is mended.
  bool verify(std::string const& edge);

 private:
  struct Kept {
    EdgeBundle bundle;
    std::uint64_t mark = 0;  // its hash
  };
  using Bundles = std::map<std::int64_t, Kept>;  // by the second half of the key
  struct Tenant {
    std::vector<std::string> pools;
    Bundles bundles;
    std::optional<crypto::Time> lapse;
  };
  struct Edge;
  struct Pool {
    std::set<std::string> edges;
    std::set<std::int64_t> tenants;
    std::vector<std::pair<std::string const*, Edge*>> members;  // the same edges, in edges_
  };
  struct Leaving {
    Kept kept;
    Revision since = 0;
  };
  struct Entry {
    std::int64_t before = 0;  // the sequence
    Key key;
  };
  struct Edge {
    std::set<std::string> pools;
    std::uint64_t sum = 0;
    std::size_t count = 0;
    std::map<Key, Leaving> leaving;
    std::deque<Entry> log;
    std::deque<std::int64_t> cut;  // sequences of entries that the log has no longer, as many as it may hold
    std::deque<std::pair<Key, std::int64_t>> let_go;  // with the subject
  };

  [[nodiscard]] static std::int64_t sequence_of(Edge const& edge);
  [[nodiscard]] std::set<std::string> edges_of(std::vector<std::string> const& pools) const;
  [[nodiscard]] static bool serves(Edge const& edge, Tenant const& tenant);
  [[nodiscard]] Kept const* at(Edge const& edge, Key const& key) const;
  [[nodiscard]] bool serves_subject(Edge const& edge, std::int64_t tenant_id, std::int64_t subject_id) const;
  [[nodiscard]] std::int64_t next_tenant(Edge const& edge, std::int64_t after) const;
  [[nodiscard]] std::map<std::int64_t, EdgeBundle> places_of(Edge const& edge, std::int64_t tenant_id) const;
  static void add_leaving(Edge const& edge, std::set<Key> const& known, Delta& delta);
  void cut(Edge& edge, std::size_t left) const;
  // One place of an edge's list goes from `before` to `now` (nullptr: nothing there); true when that is a change.
  bool move(Edge& edge, Key const& key, Kept const* before, Kept const* now);
  void hold(std::string const& name, Edge& edge, Key const& key, Kept kept, Revision revision);
  bool let_stay(std::string const& name, Edge& edge, Key const& key);
  void move_in(std::int64_t tenant_id, Tenant const& tenant, Revision revision, Edges& touched);
  void move_all(std::string const& name, std::int64_t tenant_id, Bundles const* before, Bundles const* now,
                Revision revision, Edges& touched);
  void index(std::int64_t tenant_id, Tenant const& tenant, bool add);

  std::size_t log_max_;
  std::map<std::int64_t, Tenant> tenants_;
  std::map<std::string, Pool> pools_;
  std::map<std::string, Edge> edges_;
  std::set<std::tuple<Revision, std::string, Key>> leaving_;  // in the order of their revisions
  std::set<std::pair<crypto::Time, std::int64_t>> lapses_;
};

}  // namespace acme
