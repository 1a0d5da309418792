// A primary Navigator in one process: a real store, a DNS site that serves its TXT values, a scripted CA.
#pragma once

#include "acme/issuer.hpp"
#include "acme/schema/schema.hpp"
#include "dns-backend/zone_file/zone_file.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/scripted_acme.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/txt_server.hpp"

#include <gmock/gmock.h>

namespace acme {

class CertificatesFixture : public testing::Test {
 protected:
  CertificatesFixture() {
    ca = std::make_unique<test::ScriptedAcme>(loop.get_executor(), [this](std::string name, std::string value) {
      auto const elsewhere = delegated.find(name);
      auto const values = txt(elsewhere == delegated.end() ? name : elsewhere->second);
      return std::ranges::find(values, value) != values.end();
    });
    site.answer_caa([this](std::string name) { return caa(name); });
    settings.challenge_zone = "acme.stream.example";
    settings.authorities.emplace_back();
    settings.authorities[0].directory_url = ca->directory_url();
    settings.authorities[0].contact = "mailto:ops@example.org";
    settings.first_retry = std::chrono::milliseconds(10);
    settings.order.poll_first = settings.order.lost_first = std::chrono::milliseconds(1);
    settings.order.lost_max = 2;
    settings.gate.deadline = std::chrono::milliseconds(2000);
    auto const apex = dns::Name::parse("stream.example").value();
    auto const rows = dns::parse_zone_file(
        "@ 3600 IN SOA ns1 hostmaster 1 3600 600 86400 60\n@ 3600 IN NS ns1\nns1 3600 IN A 192.0.2.1\n", "test", apex);
    run(store->import_zone(apex, *rows)).value();
    run(store->set_pools({pool_of("ams", {"edge-ams-1", "edge-ams-2"}), pool_of("fra", {"edge-fra-1"})})).value();
    run(vault.open({folder.file("master.key")})).value();
  }
  ~CertificatesFixture() override {
    // Coroutines go before what they refer to.
    ca->stop();
    site.stop();
    // The store thread posts its results to the loop, so it ends first; the coroutines that waited end with the loop.
    store.reset();
  }

  template <class T>
  T run(net::Task<T> task) {
    return test::run_task(loop, std::move(task));
  }
  // Lets the loop work until `condition` holds; false after 20 s.
  bool until(std::function<bool()> const& condition) {
    auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    loop.restart();
    while (!condition() && std::chrono::steady_clock::now() < end) {
      loop.run_one_for(std::chrono::milliseconds(100));
      loop.restart();
    }
    return condition();
  }

  static store::PoolRow pool_of(std::string const& name, std::vector<std::string> const& endpoints) {
    store::PoolRow pool;
    pool.name = pool.site = name;
    int number = 1;
    for (std::string const& endpoint : endpoints) {
      store::PoolRow::EndpointRow row;
      row.name = endpoint;
      row.address4 = "192.0.2." + std::to_string(10 + number++);
      pool.endpoints.push_back(row);
    }
    return pool;
  }
  store::Tenant add_tenant(std::string const& label, std::string const& primary = "ams",
                           std::vector<std::string> const& backups = {}) {
    store::Tenant tenant;
    tenant.label = label;
    tenant.zone = "stream.example.";
    tenant.plan = "pro";
    tenant.primary = primary;
    tenant.backups = backups;
    return run(store->create_tenant(tenant)).value();
  }
  void write(store::Body body) { run(store->write(std::move(body))).value(); }
  // What a look at the domain saw.
  void settle(std::int64_t domain_id, std::string const& code, std::int64_t now_ms = 1) {
    write([=](store::Write const& transaction) {
      domains::Verdict verdict{code, code == "ok" ? "" : "as the test says", ""};
      return domains::settle(transaction, domain_id, verdict, now_ms);
    });
  }
  // A verified one, whose challenges are delegated to us.
  store::Domain add_domain(std::string const& label, std::string const& name) {
    auto const domain = std::make_shared<store::Domain>();
    domain->name = name + ".";
    write([=](store::Write const& transaction) {
      std::int64_t wait_ms = 0;
      return domains::claim(transaction, {}, label, *domain, {1, {}}, wait_ms);
    });
    settle(domain->id, "ok");
    delegated["_acme-challenge." + name] = domain->slug + ".acme.stream.example";
    return *domain;
  }
  void remove_domain(std::string const& label, std::string const& name) {
    write([=](store::Write const& transaction) { return domains::remove(transaction, label, name + ".", {2, {}}); });
  }
  void change_tenant(std::string const& label, tenants::TenantChange const& change) {
    write([=](store::Write const& transaction) {
      base::Problems excess;
      return tenants::change(transaction, {}, label, change, {1, {}}, excess);
    });
  }
  SubjectStatus status_of(std::string const& name) const {
    for (SubjectStatus const& one : issuer->status()) {
      if (one.name == name) {
        return one;
      }
    }
    return {};
  }
  // Contents of a name in the snapshot that is served now.
  std::vector<std::string> contents(std::string const& text, dns::RRType type) const {
    auto const name = dns::Name::parse(text).value();
    auto const zone = store->published().copy()->enclosing(name);
    auto const entry = zone == nullptr ? nullptr : zone->find(name);
    for (dns::RRset const& rrset : entry == nullptr ? std::vector<dns::RRset>() : entry->rrsets) {
      if (rrset.type == type) {
        return rrset.contents;
      }
    }
    return {};
  }
  std::vector<std::string> caa(std::string const& name) const { return contents(name, dns::type_caa); }
  std::vector<std::string> txt(std::string const& name) const {
    std::vector<std::string> values;
    for (std::string const& content : contents(name, dns::type_txt)) {
      values.push_back(content.substr(1, content.size() - 2));
    }
    return values;
  }
  std::vector<Site> sites() const {
    store::Revision const now = lag ? store->revision() - 1 : store->revision();
    return {{"ams", "127.0.0.1", site.port(), true, stuck.value_or(now)}};
  }
  void start() {
    issuer =
        std::make_unique<Issuer>(loop.get_executor(), *store, vault, metrics, settings, [this] { return sites(); });
    net::spawn(loop.get_executor(), "issuer", issuer->run());
  }
  // The next start() is another process as far as the issuer is concerned: all it knows is in the store.
  void retire() {
    issuer->stop();
    retired.push_back(std::move(issuer));
  }
  std::vector<vault::CertificateRow> certificates() { return run(vault.certificates()).value(); }
  bool issued(std::size_t count) {
    return until([this, count] {
      std::size_t valid = 0;
      for (SubjectStatus const& status : issuer->status()) {
        valid += status.state == "valid" ? 1U : 0U;
      }
      return valid == count;
    });
  }

  test::TemporaryFolder folder;
  pool::HealthTable health;
  std::unique_ptr<store::Store> store;
  net::asio::io_context loop;
  std::vector<std::unique_ptr<Issuer>> retired;
  process::Metrics metrics;
  struct OpenStore {
    explicit OpenStore(CertificatesFixture& of) {
      of.store = store::Store::open("sqlite://" + of.folder.file("navigator.db"), {vault::schema(), keyring::schema()},
                                    of.health, of.loop.get_executor())
                     .value();
    }
  } open_store{*this};
  vault::Vault vault{store->thread()};
  test::TxtServer site{loop, [this](std::string name) { return txt(name); }};
  std::unique_ptr<test::ScriptedAcme> ca;
  IssuerSettings settings;
  std::unique_ptr<Issuer> issuer;
  std::map<std::string, std::string> delegated;  // CNAMEs of customers, elsewhere
  bool lag = false;                              // the site stays one revision behind
  std::optional<store::Revision> stuck;          // the site stays at this one
};

}  // namespace acme
