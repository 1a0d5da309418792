// Makes a store with many tenants for tests/bench/tenants.py, each with a certificate and acknowledgments of all edges
// of his two clusters, as if they had come one by one over the years.
//
//   tenants_store FILE MASTER-KEY TENANTS CLUSTERS EDGES-PER-CLUSTER
//
// Tenants go through the path that every tenant takes (tenants::create), many in a transaction; what came of that long
// ago (the journal's steps, certificates, acknowledgments, readiness) is written as rows. Every certificate is the same
// chain under another fingerprint, sealed by its tenant's own key.
#include "acme/crypto/encoding.hpp"
#include "acme/crypto/time.hpp"
#include "acme/keyring/keyring.hpp"
#include "acme/schema/schema.hpp"
#include "dns-backend/store/store.hpp"
#include "dns-backend/tenants/life_cycle.hpp"
#include "dns-backend/zone_file/zone_file.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/test_ca.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace {

constexpr int at_once = 2000;
constexpr char const* zone_text =
    "@ 3600 IN SOA ns1 hostmaster 1 3600 600 86400 60\n@ 3600 IN NS ns1\nns1 3600 IN A 192.0.2.1\n";

template <class T>
T good(base::Result<T> result, char const* doing) {
  if (!result) {
    std::fprintf(stderr, "tenants_store: %s: %s\n", doing, result.error().what().c_str());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) {
    return std::move(*result);
  }
}

struct Plan {
  int tenants;
  int clusters;
  int edges;
  [[nodiscard]] std::string cluster(int number) const { return "c" + std::to_string(number % clusters); }
  // Of a tenant's two clusters, sorted.
  [[nodiscard]] std::vector<std::string> edges_of(int tenant) const {
    std::vector<std::string> names;
    for (int cluster : {tenant % clusters, (tenant + 1) % clusters}) {
      for (int edge = 0; edge < edges; ++edge) {
        names.push_back("edge-" + std::to_string(cluster * edges + edge));
      }
    }
    std::ranges::sort(names);
    return names;
  }
};

class Maker {
 public:
  Maker(std::string const& file, std::string master, Plan plan)
      : plan_(plan),
        store_(good(
            store::Store::open("sqlite://" + file, {vault::schema(), keyring::schema()}, health_, loop_.get_executor()),
            "open")) {
    std::function<base::Result<void>(database::Database&)> const open = [this, master](database::Database& database) {
      return keys_.open(database, {master}, true);
    };
    good(run(store_->thread().run<void>(open)), "master key");
    auto const apex = dns::Name::parse("stream.example").value();
    auto const rows = dns::parse_zone_file(zone_text, "zone", apex);
    good(run(store_->import_zone(apex, *rows)), "zone");
    std::vector<store::PoolRow> pools;
    for (int cluster = 0; cluster < plan.clusters; ++cluster) {
      store::PoolRow& pool = pools.emplace_back();
      pool.name = pool.site = plan.cluster(cluster);
      for (int edge = 0; edge < plan.edges; ++edge) {
        store::PoolRow::EndpointRow row;
        row.name = "edge-" + std::to_string(cluster * plan.edges + edge);
        row.address4 = "198.18.2." + std::to_string(cluster * plan.edges + edge + 1);
        pool.endpoints.push_back(row);
      }
    }
    good(run(store_->set_pools(pools)), "pools");
    test::TestCa const ca;
    test::KeyHandle const key = test::make_key();
    test::Leaf leaf;
    leaf.names = {"t.stream.example", "*.t.stream.example"};
    chain_ = ca.chain(key.get(), leaf);
    key_ = test::key_pem(key.get());
  }

  void make() {
    for (int first = 0; first < plan_.tenants; first += at_once) {
      int const last = std::min(first + at_once, plan_.tenants);
      store::Body body = [this, first, last](store::Write const& write) -> base::Result<void> {
        for (int number = first; number < last; ++number) {
          if (auto const made = add(write, number); !made) {
            return made;
          }
        }
        return write.run("DELETE FROM tenant_intent", {});
      };
      good(run(store_->write(std::move(body))), "tenants");
    }
    store_->close();
  }

 private:
  template <class T>
  T run(net::Task<T> task) {
    return test::run_task(loop_, std::move(task));
  }

  base::Result<void> add(store::Write const& write, int number) {
    store::Tenant tenant;
    tenant.label = "t" + std::to_string(number);
    tenant.zone = "stream.example.";
    tenant.plan = "pro";
    tenant.primary = plan_.cluster(number);
    tenant.backups = {plan_.cluster(number + 1)};
    tenant.created_at_ms = crypto::to_ms(crypto::wall_now());
    if (auto const made = tenants::create(write, {}, tenant); !made) {
      return made;
    }
    if (auto const applied =
            write.run("INSERT INTO tenant_applied (tenant_id, label, revision, at_ms) VALUES (?, ?, ?, ?)",
                      {tenant.id, tenant.label, std::int64_t{1}, tenant.created_at_ms});
        !applied) {
      return applied;
    }
    auto const edges = plan_.edges_of(number);
    if (auto const ready =
            write.run("INSERT INTO readiness (tenant_id, endpoints) VALUES (?, ?)", {tenant.id, store::to_json(edges)});
        !ready) {
      return ready;
    }
    return add_certificate(write, tenant, edges);
  }

  base::Result<void> add_certificate(store::Write const& write, store::Tenant const& tenant,
                                     std::vector<std::string> const& edges) {
    std::string const name = tenant.label + ".stream.example";
    if (auto const made = write.run("INSERT INTO acme_subject (tenant_id, name) VALUES (?, ?)", {tenant.id, name});
        !made) {
      return made;
    }
    std::int64_t const subject = write.transaction.last_insert_id();
    std::string const fingerprint = crypto::hex(crypto::sha256(name));
    std::string const row = "certificate/" + std::to_string(tenant.id) + "/" + fingerprint;
    auto const sealed = keys_.seal(write.transaction, tenant.id, key_, row, tenant.created_at_ms);
    if (!sealed) {
      return sealed.error();
    }
    constexpr std::int64_t day_ms = 86400000;
    if (auto const stored = write.run(
            "INSERT INTO certificate (subject_id, names, fingerprint, not_before_ms, not_after_ms, chain_pem, "
            "sealed_key, directory_url, ari_id, source, fallback) VALUES (?, ?, ?, ?, ?, ?, ?, '', '', 'acme', 1)",
            {subject, "*." + name + " " + name, fingerprint, tenant.created_at_ms - day_ms,
             tenant.created_at_ms + 89 * day_ms, chain_, *sealed});
        !stored) {
      return stored;
    }
    std::int64_t const sequence = write.transaction.last_insert_id();
    for (std::string const& edge : edges) {
      auto const heard = write.run(
          "INSERT INTO edge_acknowledgment (subject_id, edge, sequence, fingerprint, at_ms) VALUES (?, ?, ?, ?, ?)",
          {subject, edge, sequence, fingerprint, tenant.created_at_ms});
      if (!heard) {
        return heard;
      }
    }
    return {};
  }

  Plan plan_;
  boost::asio::io_context loop_;
  pool::HealthTable health_;
  keyring::KeyRing keys_;
  std::unique_ptr<store::Store> store_;
  std::string chain_, key_;
};

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> const arguments(argv + 1, argv + argc);
  if (arguments.size() != 5) {
    std::fputs("tenants_store FILE MASTER-KEY TENANTS CLUSTERS EDGES-PER-CLUSTER\n", stderr);
    return 2;
  }
  Plan const plan{std::atoi(arguments[2].c_str()), std::atoi(arguments[3].c_str()), std::atoi(arguments[4].c_str())};
  if (plan.tenants < 1 || plan.clusters < 2 || plan.edges < 1) {
    std::fputs("tenants_store: one tenant, two clusters, one edge at least\n", stderr);
    return 2;
  }
  Maker maker(arguments[0], arguments[1], plan);
  maker.make();
  return 0;
}
