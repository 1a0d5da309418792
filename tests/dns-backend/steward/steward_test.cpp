#include "dns-backend/steward/steward.hpp"

#include "dns-backend/tenants/life_cycle.hpp"
#include "dns-backend/tenants/records.hpp"
#include "tests/dns-backend/store/store_fixture.hpp"

namespace store {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::int64_t day_ms = 24LL * 3600 * 1000;

class StewardTest : public testing::Test {
 protected:
  StewardTest() {
    site.import_zone(zone_head);
    site.ok(site.store->set_pools({pool_row("ams", {"a1"}), pool_row("fra", {"f1"}, 11)}));
    steward = std::make_unique<steward::Steward>(
        site.loop.get_executor(), *site.store,
        [this] {
          return std::vector<steward::Site>{{"ams", true, acknowledged}, {"gone", false, 0}};
        },
        metrics);
  }
  Tenant create(std::string const& label) { return site.ok(site.store->create_tenant(tenant_row(label, "ams"))); }
  base::Result<Revision> change(std::string const& label, tenants::TenantChange wanted, std::int64_t now_ms = 0,
                                std::optional<std::int64_t> if_match = {}) {
    Body body = [=, this](Write const& write) {
      base::Problems excess;
      return tenants::change(write, policy, label, wanted, {now_ms, if_match}, excess);
    };
    return site.run(site.store->write(std::move(body)));
  }
  base::Result<Revision> rename(std::string const& from, std::string const& to, std::int64_t now_ms = 0) {
    tenants::TenantChange wanted;
    wanted.label = to;
    return change(from, wanted, now_ms);
  }
  base::Result<Revision> records(std::string const& label, std::vector<dns::OwnedRRset> const& rrsets) {
    Body body = [=, this](Write const& write) { return tenants::set_records(write, policy, label, rrsets, {}); };
    return site.run(site.store->write(std::move(body)));
  }
  void pass(std::int64_t now_ms) { site.ok(steward->pass(now_ms)); }
  std::vector<tenants::Intent> pending(std::int64_t tenant) {
    std::function<base::Result<std::vector<tenants::Intent>>(database::Database&)> const work =
        [tenant](database::Database& database) { return tenants::pending(database, tenant); };
    return site.ok(site.store->thread().run<std::vector<tenants::Intent>>(work));
  }
  void sql(std::string const& text) {
    Body body = [text](Write const& write) { return write.run(text, {}); };
    site.ok(site.store->write(std::move(body)));
  }
  bool answers(std::string const& label) {
    EntryPtr const entry = site.entry(label + ".example.org");
    EntryPtr const below = site.entry("*." + label + ".example.org");
    bool const here = entry != nullptr && entry->balancer != nullptr;
    EXPECT_EQ(here, below != nullptr && below->balancer != nullptr) << label;
    return here;
  }

  Site site;
  process::Metrics metrics;
  Revision acknowledged = 1000000;
  tenants::Policy policy;
  std::unique_ptr<steward::Steward> steward;
};

TEST_F(StewardTest, both_labels_answer_until_the_overlap_is_over) {
  Tenant const made = create("acme-tv");
  pass(0);
  EXPECT_THAT(pending(made.id), IsEmpty());
  ASSERT_TRUE(rename("acme-tv", "acme", 0).has_error()) << "acme is reserved";
  ASSERT_TRUE(rename("acme-tv", "acme-video", 1000));
  EXPECT_TRUE(answers("acme-tv"));
  EXPECT_TRUE(answers("acme-video"));
  pass(1000 + day_ms - 1);
  EXPECT_TRUE(answers("acme-tv"));
  pass(1000 + day_ms);
  EXPECT_FALSE(answers("acme-tv"));
  EXPECT_TRUE(answers("acme-video"));
  EXPECT_THAT(pending(made.id), IsEmpty());
  EXPECT_NE(site.ok(site.store->create_tenant(tenant_row("acme-tv", "fra"))).id, made.id) << "the label is free again";
  EXPECT_TRUE(answers("acme-tv"));
}

TEST_F(StewardTest, a_former_label_stays_while_a_site_lacks_the_new_one) {
  create("one-tv");
  pass(0);
  acknowledged = site.store->revision();
  Tenant const made = site.ok(site.store->tenants()).front();
  ASSERT_TRUE(rename("one-tv", "two-tv", 0));
  pass(2 * day_ms);
  EXPECT_TRUE(answers("one-tv")) << "no site acknowledged the new label";
  auto const waiting = pending(made.id);
  ASSERT_THAT(waiting, SizeIs(2));
  EXPECT_EQ(waiting[0].kind, "ensure");
  EXPECT_EQ(waiting[0].attempts, 1);
  EXPECT_THAT(waiting[0].last_error, HasSubstr("site 'ams'"));
  EXPECT_EQ(waiting[1].attempts, 0) << "it waits behind the first";
  acknowledged = site.store->revision();
  pass(2 * day_ms + 1000);
  EXPECT_TRUE(answers("one-tv")) << "the next attempt comes after two seconds";
  pass(2 * day_ms + 2000);
  EXPECT_FALSE(answers("one-tv"));
  EXPECT_TRUE(answers("two-tv"));
}

TEST_F(StewardTest, back_to_a_former_label_touches_nothing) {
  Tenant const made = create("one-tv");
  ASSERT_TRUE(rename("one-tv", "two-tv", 0));
  ASSERT_TRUE(rename("two-tv", "one-tv", 0));
  EXPECT_TRUE(answers("one-tv"));
  EXPECT_TRUE(answers("two-tv"));
  pass(0);
  pass(2 * day_ms);
  EXPECT_TRUE(answers("one-tv"));
  EXPECT_FALSE(answers("two-tv"));
  EXPECT_THAT(pending(made.id), IsEmpty());
}

TEST_F(StewardTest, a_label_that_another_tenant_has_by_now_is_not_taken_from_it) {
  Tenant const first = create("one-tv");
  ASSERT_TRUE(rename("one-tv", "two-tv", 0));
  EXPECT_EQ(site.failure(site.store->create_tenant(tenant_row("one-tv", "fra"))).code, errc::exists);
  pass(0);
  pass(2 * day_ms);
  create("one-tv");
  // What a journal that was restored from an old copy may hold.
  sql("INSERT INTO tenant_intent (tenant_id, kind, label, revision, not_before_ms, next_ms) VALUES (" +
      std::to_string(first.id) + ", 'retire', 'one-tv', 1, 0, 0)");
  pass(3 * day_ms);
  EXPECT_TRUE(answers("one-tv"));
  EXPECT_TRUE(answers("two-tv"));
}

TEST_F(StewardTest, an_intent_that_is_far_off_does_not_hold_up_the_next_rename) {
  Tenant const made = create("one-tv");
  ASSERT_TRUE(rename("one-tv", "two-tv", 0));
  pass(0);
  ASSERT_TRUE(rename("two-tv", "three-tv", 1000));
  pass(1000);
  auto const left = pending(made.id);
  ASSERT_THAT(left, SizeIs(2));
  EXPECT_EQ(left[0].label, "one-tv");
  EXPECT_EQ(left[1].label, "two-tv");
  for (char const* const label : {"one-tv", "two-tv", "three-tv"}) {
    EXPECT_TRUE(answers(label)) << label;
  }
  pass(2 * day_ms);
  EXPECT_FALSE(answers("one-tv"));
  EXPECT_FALSE(answers("two-tv"));
}

TEST_F(StewardTest, records_of_its_own_move_with_the_label_and_go_with_the_tenant) {
  create("one-tv");
  ASSERT_TRUE(records("one-tv", {{name("mail.one-tv.example.org"), {dns::type_a, 60, {"192.0.2.77"}}}}));
  ASSERT_TRUE(rename("one-tv", "two-tv", 0));
  EXPECT_THAT(site.contents("mail.two-tv.example.org", dns::type_a), testing::ElementsAre("192.0.2.77"));
  ASSERT_TRUE(records("two-tv", {{name("mail.two-tv.example.org"), {dns::type_a, 60, {"192.0.2.78"}}}}));
  EXPECT_THAT(site.contents("mail.one-tv.example.org", dns::type_a), testing::ElementsAre("192.0.2.78"));
  pass(0);
  pass(2 * day_ms);
  EXPECT_THAT(site.contents("mail.one-tv.example.org", dns::type_a), IsEmpty());
  site.ok(site.store->delete_tenant("two-tv"));
  EXPECT_EQ(site.entry("mail.two-tv.example.org"), nullptr);
  EXPECT_EQ(site.entry("two-tv.example.org"), nullptr);
}

TEST_F(StewardTest, records_stay_within_the_tenant_its_types_and_its_plan) {
  create("one-tv");
  create("two-tv");
  policy.plans = {{"basic", 8, 2}};
  auto const set = [this](std::string_view owner, dns::RRType type, std::string content) {
    return records("one-tv", {{name(owner), {type, 60, {std::move(content)}}}});
  };
  EXPECT_EQ(set("a.two-tv.example.org", dns::type_a, "192.0.2.1").error().code, errc::refused);
  EXPECT_EQ(set("example.org", dns::type_txt, "\"x\"").error().code, errc::refused);
  EXPECT_EQ(set("a.one-tv.example.org", dns::type_ns, "ns.other.").error().code, errc::refused);
  EXPECT_EQ(set("one-tv.example.org", dns::type_a, "192.0.2.1").error().code, errc::refused);
  EXPECT_TRUE(set("a.one-tv.example.org", dns::type_a, "192.0.2.1"));
  EXPECT_TRUE(set("b.one-tv.example.org", dns::type_txt, "\"x\""));
  EXPECT_THAT(set("c.one-tv.example.org", dns::type_txt, "\"x\"").error().detail, HasSubstr("2 RRsets"));
  EXPECT_TRUE(set("a.one-tv.example.org", dns::type_a, "192.0.2.2")) << "what is there may change";
}

TEST_F(StewardTest, a_cname_that_leads_back_to_itself_is_refused) {
  create("one-tv");
  auto const alias = [this](std::string const& owner, std::string const& target) {
    return records("one-tv", {{name(owner), {dns::type_cname, 60, {target}}}});
  };
  auto const self = alias("a.one-tv.example.org", "a.one-tv.example.org.");
  ASSERT_TRUE(self.has_error());
  EXPECT_THAT(self.error().what(), HasSubstr("a.one-tv.example.org. -> a.one-tv.example.org."));
  ASSERT_TRUE(alias("a.one-tv.example.org", "b.one-tv.example.org."));
  ASSERT_TRUE(alias("b.one-tv.example.org", "c.one-tv.example.org."));
  auto const round = alias("c.one-tv.example.org", "a.one-tv.example.org.");
  ASSERT_TRUE(round.has_error());
  EXPECT_THAT(round.error().what(), HasSubstr("c.one-tv.example.org. -> a.one-tv.example.org. -> b.one-tv"));
  EXPECT_EQ(site.entry("c.one-tv.example.org"), nullptr) << "nothing is stored";
  EXPECT_TRUE(alias("c.one-tv.example.org", "elsewhere.example.net."));
}

TEST_F(StewardTest, a_change_is_held_against_the_revision_its_caller_saw) {
  Tenant const made = create("one-tv");
  tenants::TenantChange suspend;
  suspend.state = "suspended";
  EXPECT_EQ(change("one-tv", suspend, 0, made.changed_at + 1).error().code, errc::changed);
  EXPECT_TRUE(answers("one-tv"));
  ASSERT_TRUE(change("one-tv", suspend, 0, made.changed_at));
  EXPECT_FALSE(answers("one-tv"));
  EXPECT_EQ(change("one-tv", suspend, 0, made.changed_at).error().code, errc::changed);
  tenants::TenantChange resume;
  resume.state = "active";
  ASSERT_TRUE(change("one-tv", resume));
  EXPECT_TRUE(answers("one-tv"));
}

TEST_F(StewardTest, plans_limit_clusters) {
  create("one-tv");
  policy.plans = {{"basic", 0, 10, 10, 10, {"ams"}}, {"gold", 1}};
  tenants::TenantChange wanted;
  wanted.backups = std::vector<std::string>{"fra"};
  EXPECT_THAT(change("one-tv", wanted).error().detail, HasSubstr("0 backup clusters"));
  wanted.plan = "silver";
  EXPECT_THAT(change("one-tv", wanted).error().detail, HasSubstr("no plan 'silver': basic, gold"));
  wanted.plan = "gold";
  EXPECT_TRUE(change("one-tv", wanted));
  tenants::TenantChange down;
  down.plan = "basic";
  EXPECT_TRUE(change("one-tv", down).has_error()) << "it has a backup that the plan does not";
}

TEST_F(StewardTest, desired_against_applied_repairs_once_and_then_finds_nothing) {
  Tenant const made = create("one-tv");
  ASSERT_TRUE(rename("one-tv", "two-tv", 0));
  pass(0);
  sql("DELETE FROM tenant_intent");
  sql("UPDATE tenant_applied SET label = 'wrong'");
  for (std::string const& owner : {std::string("acme/999/12"), std::string("acme/999"),
                                   "acme/" + std::to_string(made.id), "acme/" + std::to_string(made.id) + "/3"}) {
    sql("INSERT INTO challenge (owner, name, value) VALUES ('" + owner + "', '_acme-challenge.two-tv.example.org.', '" +
        owner + "')");
  }
  // Two labels, what a tenant that is gone left, and what an order from before certificates had subjects left.
  EXPECT_EQ(site.ok(steward->repair()), 4U);
  EXPECT_EQ(site.ok(steward->repair()), 0U);
  EXPECT_THAT(pending(made.id), SizeIs(2));
  pass(0);
  pass(2 * day_ms);
  EXPECT_FALSE(answers("one-tv"));
  EXPECT_THAT(site.contents("_acme-challenge.two-tv.example.org", dns::type_txt), SizeIs(1)) << "of a running order";
  EXPECT_EQ(site.ok(steward->repair()), 0U);
}

TEST_F(StewardTest, one_tenants_trouble_does_not_hold_up_another) {
  create("one-tv");
  pass(0);
  ASSERT_TRUE(rename("one-tv", "two-tv", 0));
  pass(0);
  // The former label's zone cannot be found: the attempt fails altogether.
  sql("UPDATE former_label SET zone = 'nowhere.example.'");
  Tenant const other = create("other-tv");
  pass(2 * day_ms);
  EXPECT_THAT(pending(other.id), IsEmpty());
  EXPECT_TRUE(answers("two-tv"));
}

TEST_F(StewardTest, what_is_stuck_is_counted_while_it_waits_and_no_longer) {
  create("one-tv");
  ASSERT_TRUE(rename("one-tv", "two-tv", 0));
  pass(0);
  EXPECT_THAT(metrics.text(), HasSubstr("navigator_tenant_intents_stuck 0"));
  sql("UPDATE tenant_intent SET attempts = 12, next_ms = 9000000000000000");
  create("other-tv");
  pass(0);
  EXPECT_THAT(metrics.text(), HasSubstr("navigator_tenant_intents_stuck 1")) << "it waits for its next attempt";
  sql("DELETE FROM tenant_intent");
  pass(0);
  EXPECT_THAT(metrics.text(), HasSubstr("navigator_tenant_intents_stuck 0"));
}

}  // namespace
}  // namespace store
