#include "dns-backend/domain_watch/domain_watch.hpp"

#include "dns-backend/domains/domains.hpp"
#include "tests/dns-backend/store/store_fixture.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <thread>

namespace store {
namespace {

namespace asio = boost::asio;

// A resolver over TCP that knows no record at all, on a thread of its own. It waits before each answer, and until so
// many ask at once, or for two seconds.
class SlowResolver {
 public:
  explicit SlowResolver(std::chrono::milliseconds pause, int together = 1) : pause_(pause), together_(together) {
    net::spawn(loop_.get_executor(), "resolver", accept());
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~SlowResolver() {
    loop_.stop();
    thread_.join();
  }
  SlowResolver(SlowResolver const&) = delete;
  SlowResolver& operator=(SlowResolver const&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int most() const { return most_; }  // questions at one time
  [[nodiscard]] int answers() const { return answers_; }

 private:
  static constexpr auto quiet = asio::as_tuple(asio::use_awaitable);
  net::Task<void> accept() {
    for (;;) {
      auto [error, socket] = co_await acceptor_.async_accept(quiet);
      if (error) {
        co_return;
      }
      net::spawn(loop_.get_executor(), "one look", serve(std::move(socket)));
    }
  }
  net::Task<void> serve(asio::ip::tcp::socket socket) {
    for (;;) {
      std::array<unsigned char, 2> size{};
      auto const [no_size, two] = co_await asio::async_read(socket, asio::buffer(size), quiet);
      std::vector<unsigned char> message(size[0] * 256U + size[1]);
      auto const [no_rest, rest] = co_await asio::async_read(socket, asio::buffer(message), quiet);
      if (no_size || no_rest || message.size() < 12) {
        break;
      }
      most_ = std::max(most_.load(), ++asked_);
      auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
      while (most_ < together_ && std::chrono::steady_clock::now() < end) {
        co_await net::wait_for(std::chrono::milliseconds(5));
      }
      co_await net::wait_for(pause_);
      message[2] |= 0x80U;  // the question comes back as a response without records
      message[3] = 0x80U;
      ++answers_;
      --asked_;
      message.insert(message.begin(), size.begin(), size.end());
      co_await asio::async_write(socket, asio::buffer(message), quiet);
    }
  }

  std::chrono::milliseconds pause_;
  int together_;
  asio::io_context loop_;
  asio::ip::tcp::acceptor acceptor_{loop_, {asio::ip::make_address("127.0.0.1"), 0}};
  std::uint16_t port_ = acceptor_.local_endpoint().port();
  int asked_ = 0;
  std::atomic<int> most_ = 0;
  std::atomic<int> answers_ = 0;
  std::thread thread_;
};

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::int64_t day_ms = 24LL * 3600 * 1000;

class Domains : public testing::Test {
 protected:
  Domains() {
    site.import_zone(zone_head);
    site.import_zone(zone_head, "acme.example.org");
    site.ok(site.store->set_pools({pool_row("ams", {"a1"})}));
    one = site.ok(site.store->create_tenant(tenant_row("one-tv", "ams")));
    two = site.ok(site.store->create_tenant(tenant_row("two-tv", "ams")));
    policy.challenge_zone = "acme.example.org.";
  }
  Domain claim(std::string const& label, std::string const& domain, std::int64_t now_ms = 0) {
    auto const made = std::make_shared<Domain>();
    made->name = domain;
    Body body = [=, this](Write const& write) {
      std::int64_t wait_ms = 0;
      return domains::claim(write, policy, label, *made, {now_ms, {}}, wait_ms);
    };
    site.ok(site.store->write(std::move(body)));
    return *made;
  }
  domains::Verdict settle(std::int64_t id, std::string const& code, std::int64_t now_ms,
                          std::vector<dns::Name> const& through = {}) {
    auto const verdict =
        std::make_shared<domains::Verdict>(domains::Verdict{code, code == "ok" ? "" : "why", "", through});
    Body body = [=](Write const& write) { return domains::settle(write, id, *verdict, now_ms); };
    site.ok(site.store->write(std::move(body)));
    return *verdict;
  }
  void sweep(std::int64_t now_ms) {
    Body body = [now_ms](Write const& write) { return domains::sweep(write, now_ms); };
    site.ok(site.store->write(std::move(body)));
  }
  std::vector<domains::Seen> list(Tenant const& tenant) {
    std::function<base::Result<std::vector<domains::Seen>>(Model const&, database::Database&)> const look =
        [id = tenant.id](Model const& model, database::Database& database) {
          return domains::list(model, database, id);
        };
    return site.ok(site.store->read<std::vector<domains::Seen>>(look));
  }
  std::string state(Tenant const& tenant) {
    auto const all = list(tenant);
    return all.empty() ? "gone" : all.front().domain.state;
  }
  std::vector<domains::WantedCertificate> certificates() {
    std::function<base::Result<std::vector<domains::WantedCertificate>>(Model const&, database::Database&)> const look =
        [](Model const& model, database::Database&) -> base::Result<std::vector<domains::WantedCertificate>> {
      return domains::wanted_certificates(model, "acme.example.org.");
    };
    return site.ok(site.store->read<std::vector<domains::WantedCertificate>>(look));
  }

  Site site;
  process::Metrics metrics;
  tenants::Policy policy;
  Tenant one, two;
};

TEST_F(Domains, a_claim_reserves_nothing_and_ends_after_a_week) {
  Domain const first = claim("one-tv", "www.customer.example.");
  Domain const again = claim("one-tv", "www.customer.example.");
  EXPECT_EQ(first.slug, again.slug) << "the customer sets DNS once";
  EXPECT_GE(first.slug.size(), 26U);
  Domain const other = claim("two-tv", "www.customer.example.");
  EXPECT_NE(first.slug, other.slug);
  EXPECT_NE(first.proof, other.proof);
  sweep(domains::claim_ms - 1);
  EXPECT_EQ(state(one), "claimed");
  sweep(domains::claim_ms);
  EXPECT_EQ(state(one), "gone");
  EXPECT_EQ(state(two), "gone");
  EXPECT_NE(claim("one-tv", "www.customer.example.").slug, first.slug) << "a slug is never used again";
}

TEST_F(Domains, who_proves_it_has_it_and_the_other_learns_why_not) {
  Domain const first = claim("one-tv", "www.customer.example.");
  Domain const other = claim("two-tv", "www.customer.example.");
  EXPECT_TRUE(settle(other.id, "ok", 1).ok());
  EXPECT_EQ(state(two), "verified");
  EXPECT_EQ(settle(first.id, "ok", 2, {name("two-tv.example.org")}).code, "taken") << "its CNAME names the other";
  EXPECT_EQ(state(one), "claimed");
  settle(other.id, "cname_elsewhere", 3);
  EXPECT_EQ(state(two), "failing");
  EXPECT_THAT(list(two).front().check->reason, HasSubstr("cname_elsewhere: why"));
  EXPECT_TRUE(settle(first.id, "ok", 4).ok()) << "it does not lead to the other any longer";
  EXPECT_EQ(state(one), "verified");
  EXPECT_EQ(state(two), "gone");
}

// Both are on one cluster, and nothing but the proof tells whose it is.
TEST_F(Domains, a_fresh_proof_moves_what_leads_to_both_and_the_former_one_ends) {
  Domain const first = claim("one-tv", "www.customer.example.");
  settle(first.id, "ok", 1);
  Domain const other = claim("two-tv", "www.customer.example.");
  EXPECT_TRUE(settle(other.id, "ok", 2, {name("front.customer.example")}).ok());
  EXPECT_EQ(state(two), "verified");
  EXPECT_EQ(state(one), "gone") << "its proof may stand in the zone for ever";
  auto const wanted = certificates();
  ASSERT_THAT(wanted, SizeIs(3));
  EXPECT_EQ(wanted.back().tenant_id, two.id);
  EXPECT_EQ(site.failure(site.store->write([&](Write const& write) {
                  domains::Verdict verdict{"ok", "", ""};
                  return domains::settle(write, first.id, verdict, 3);
                }))
                .code,
            errc::not_found)
      << "a look that was under way comes too late";
  EXPECT_NE(claim("one-tv", "www.customer.example.").proof, first.proof);
  // A former label names its tenant, too.
  tenants::TenantChange rename;
  rename.label = "two-video";
  site.ok(site.store->write([&](Write const& write) {
    base::Problems excess;
    return tenants::change(write, policy, "two-tv", rename, {4, std::nullopt}, excess);
  }));
  Domain const back = claim("one-tv", "www.customer.example.");
  EXPECT_EQ(settle(back.id, "ok", 5, {name("two-tv.example.org")}).code, "taken");
  EXPECT_TRUE(settle(back.id, "ok", 6, {name("one-tv.example.org")}).ok());
  EXPECT_EQ(state(two), "gone");
}

TEST_F(Domains, a_failing_domain_keeps_its_place_and_its_certificate_for_a_week) {
  Domain const domain = claim("one-tv", "www.customer.example.");
  settle(domain.id, "ok", 0);
  ASSERT_THAT(certificates(), SizeIs(3));
  EXPECT_EQ(certificates().back().names, std::vector<std::string>{"www.customer.example"});
  EXPECT_EQ(certificates().back().challenge_name, domain.slug + ".acme.example.org");
  EXPECT_FALSE(certificates().back().failing);
  settle(domain.id, "lookup_failed", 1);
  EXPECT_EQ(state(one), "verified") << "a resolver that fails says nothing about the domain";
  settle(domain.id, "challenge_missing", 2);
  EXPECT_EQ(state(one), "failing");
  ASSERT_THAT(certificates(), SizeIs(3)) << "one bad look takes no certificate away";
  EXPECT_TRUE(certificates().back().failing);
  settle(domain.id, "challenge_missing", domains::grace_ms - 1);
  EXPECT_EQ(state(one), "failing");
  settle(domain.id, "ok", domains::grace_ms - 1);
  EXPECT_EQ(state(one), "verified");
  settle(domain.id, "challenge_missing", 20 * day_ms);
  settle(domain.id, "challenge_missing", 27 * day_ms - 1);
  EXPECT_EQ(state(one), "failing") << "a week from the first bad look, however old the last good one is";
  settle(domain.id, "challenge_missing", 27 * day_ms);
  EXPECT_EQ(state(one), "claimed");
  EXPECT_THAT(certificates(), SizeIs(2));
  EXPECT_EQ(list(one).front().domain.slug, domain.slug);
}

TEST_F(Domains, a_zone_of_this_store_answers_as_the_tenant_does_once_it_is_verified) {
  site.import_zone(zone_head, "customer.example");
  Domain const domain = claim("one-tv", "customer.example.");
  EXPECT_EQ(site.entry("customer.example", "customer.example")->balancer, nullptr);
  std::uint32_t const serial = site.zone("customer.example")->serial;
  settle(domain.id, "ok", 0);
  ASSERT_NE(site.entry("customer.example", "customer.example")->balancer, nullptr);
  EXPECT_GT(site.zone("customer.example")->serial, serial);
  EXPECT_THAT(site.contents("customer.example", dns::type_ns, "customer.example"), SizeIs(1));
  site.ok(site.store->delete_tenant("one-tv"));
  EXPECT_EQ(site.entry("customer.example", "customer.example")->balancer, nullptr);
  EXPECT_EQ(state(one), "gone");
}

TEST_F(Domains, names_of_the_platform_are_nobodys_own) {
  for (char const* const name : {"www.example.org.", "example.org.", "org.", "x.acme.example.org."}) {
    auto const made = std::make_shared<Domain>();
    made->name = name;
    Body body = [=, this](Write const& write) {
      std::int64_t wait_ms = 0;
      return domains::claim(write, policy, "one-tv", *made, {}, wait_ms);
    };
    EXPECT_EQ(site.failure(site.store->write(std::move(body))).code, errc::refused) << name;
  }
}

TEST_F(Domains, a_look_asks_nothing_more_when_its_time_is_over) {
  Domain const domain = claim("one-tv", "www.customer.example.");
  settle(domain.id, "ok", 0);  // then it takes three questions to find that it leads nowhere
  SlowResolver resolver(std::chrono::milliseconds(300));
  domain_watch::Settings settings{"127.0.0.1", resolver.port(), "acme.example.org."};
  {
    domain_watch::DomainWatch watch(site.loop.get_executor(), *site.store, metrics, settings);
    EXPECT_EQ(site.ok(watch.look(domain.id, 1000)).code, "cname_missing");
    EXPECT_EQ(resolver.answers(), 3);
  }
  settings.look_deadline = std::chrono::milliseconds(200);
  domain_watch::DomainWatch watch(site.loop.get_executor(), *site.store, metrics, settings);
  auto const verdict = site.ok(watch.look(domain.id, 2000));
  EXPECT_EQ(verdict.code, "lookup_failed");
  EXPECT_THAT(verdict.reason, HasSubstr("took more than 200 ms"));
  EXPECT_EQ(resolver.answers(), 4) << "what is asked is answered, and then nothing is asked";
}

TEST_F(Domains, tenants_are_looked_at_side_by_side_and_one_domain_of_each) {
  std::vector<Domain> all;
  for (char const* const name : {"a.customer.example.", "b.customer.example.", "c.customer.example."}) {
    all.push_back(claim("one-tv", name));
    all.push_back(claim("two-tv", name));
  }
  SlowResolver resolver(std::chrono::milliseconds(20), 2);
  domain_watch::DomainWatch watch(site.loop.get_executor(), *site.store, metrics,
                                  {"127.0.0.1", resolver.port(), "acme.example.org."});
  site.ok(watch.pass(1000));
  EXPECT_EQ(resolver.most(), 2);
  EXPECT_EQ(resolver.answers(), 6) << "each is a claim, and has no proof";
  for (Tenant const& tenant : {one, two}) {
    for (domains::Seen const& seen : list(tenant)) {
      ASSERT_TRUE(seen.check);
      EXPECT_THAT(seen.check->reason, HasSubstr("proof_missing"));
    }
  }
}

TEST_F(Domains, caa_is_a_look_of_the_tenant_and_climbs_to_the_top) {
  SlowResolver resolver(std::chrono::milliseconds(20));
  domain_watch::DomainWatch watch(site.loop.get_executor(), *site.store, metrics,
                                  {"127.0.0.1", resolver.port(), "acme.example.org."});
  EXPECT_THAT(site.ok(watch.caa(one.id, "www.customer.example")), IsEmpty());
  EXPECT_EQ(resolver.answers(), 3) << "the name, its parent, the top";
  // Two of one tenant come one after the other.
  net::spawn(site.loop.get_executor(), "caa", [](auto& from, std::int64_t id) -> net::Task<void> {
    std::string name = "www.customer.example";
    auto const found = co_await from.caa(id, std::move(name));
    EXPECT_TRUE(found);
  }(watch, one.id));
  site.ok(watch.caa(one.id, "www.customer.example"));
  EXPECT_EQ(resolver.most(), 1);
  EXPECT_EQ(resolver.answers(), 9);
  // What is above the platform's zones is everybody's: asked once.
  EXPECT_THAT(site.ok(watch.caa_above("example")), IsEmpty());
  EXPECT_THAT(site.ok(watch.caa_above("example")), IsEmpty());
  EXPECT_EQ(resolver.answers(), 10);
  // Who waits for the turn of another that asks the same gets what that one found.
  net::spawn(site.loop.get_executor(), "above", [](auto& from) -> net::Task<void> {
    std::string name = "org";
    auto const found = co_await from.caa_above(std::move(name));
    EXPECT_TRUE(found);
  }(watch));
  EXPECT_THAT(site.ok(watch.caa_above("org")), IsEmpty());
  EXPECT_EQ(resolver.answers(), 11);
}

TEST_F(Domains, a_resolver_that_cannot_be_reached_is_a_failed_lookup_and_comes_again) {
  Domain const domain = claim("one-tv", "www.customer.example.");
  // Nobody listens on the discard port of this address.
  domain_watch::DomainWatch watch(site.loop.get_executor(), *site.store, metrics,
                                  {"127.0.0.1", 9, "acme.example.org."});
  site.ok(watch.pass(1000));
  auto const seen = list(one).front();
  ASSERT_TRUE(seen.check);
  EXPECT_THAT(seen.check->reason, HasSubstr("lookup_failed"));
  EXPECT_EQ(seen.check->next_ms, 61000);
  site.ok(watch.pass(2000));
  EXPECT_EQ(list(one).front().check->at_ms, 1000) << "not before it is due";
  EXPECT_EQ(site.failure(watch.look(domain.id + 99, 0)).code, errc::not_found);
}

}  // namespace
}  // namespace store
