#include "dns-backend/tenants/plan.hpp"

#include "dns-backend/tenants/journal.hpp"
#include "dns-backend/tenants/records.hpp"

#include <gmock/gmock.h>

namespace {

TEST(Plan, WithoutPlansAnyNameIsOne) {
  EXPECT_NE(tenants::find_plan({}, "gold"), nullptr);
  tenants::Policy const policy{{{"basic"}, {"gold"}}};
  EXPECT_EQ(tenants::find_plan(policy, "gold")->name, "gold");
  EXPECT_EQ(tenants::find_plan(policy, "silver"), nullptr);
  EXPECT_EQ(tenants::names_of_plans(policy), "basic, gold");
}

TEST(Plan, TenantsHaveNoTypesThatTakeAZoneApart) {
  for (dns::RRType const type :
       {dns::type_ns, dns::type_soa, dns::type_dname, dns::type_ds, dns::type_alias, dns::type_lua}) {
    EXPECT_FALSE(tenants::is_tenant_type(type)) << dns::to_text(type);
  }
  EXPECT_TRUE(tenants::is_tenant_type(dns::type_txt));
}

TEST(Journal, TheWaitDoublesUpToAnHour) {
  EXPECT_EQ(tenants::backoff_ms(1), 2000);
  EXPECT_EQ(tenants::backoff_ms(2), 4000);
  EXPECT_EQ(tenants::backoff_ms(11), 2048000);
  EXPECT_EQ(tenants::backoff_ms(12), 3600000);
  EXPECT_EQ(tenants::backoff_ms(1000000), 3600000);
}

}  // namespace
