#include "acme/edge/client/bundle.hpp"

#include "tests/support/test_ca.hpp"

#include "base/net/tls.hpp"

#include <gmock/gmock.h>

namespace edge {
namespace {

using testing::HasSubstr;

std::string const digest(64, 'a');

std::string item_json(std::string const& id = "tenant-7", std::string const& name = "acme-tv.example") {
  return R"({"id":")" + id + R"(","tenant":"acme-tv","names":["*.acme-tv.example",")" + name + R"("],"fingerprint":")" +
         digest + R"(","sequence":12})";
}

TEST(BundleList, ReadsAList) {
  auto const list = parse_list(R"({"sequence":99,"bundles":[)" + item_json() + "]}");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->sequence, 99);
  EXPECT_EQ(list->bundles.front(),
            (BundleItem{"tenant-7", "acme-tv", {"*.acme-tv.example", "acme-tv.example"}, digest, 12}));
  EXPECT_TRUE(parse_list(R"({"sequence":1,"bundles":[]})")->bundles.empty());
}

TEST(BundleList, ReportsEveryProblemWithItsPlace) {
  auto const list =
      parse_list(R"({"sequence":0,"bundles":[{"id":"../x","tenant":"acme-tv","names":[],"fingerprint":"zz"},7]})");
  ASSERT_FALSE(list);
  std::string const text = base::text(list.error());
  for (char const* const part : {"sequence", "bundles[0].id", "bundles[0].names", "bundles[0].fingerprint",
                                 "bundles[0].sequence", "bundles[1]"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(BundleList, ReadsWhatChangedAndPages) {
  auto const old = parse_list(R"({"sequence":99,"bundles":[]})");
  ASSERT_TRUE(old);
  EXPECT_TRUE(old->complete) << "a Navigator that knows no changes sends the whole list";
  auto const delta = parse_list(R"({"sequence":9,"complete":false,"bundles":[],"gone":["tenant-7","tenant-7-12"]})");
  ASSERT_TRUE(delta);
  EXPECT_FALSE(delta->complete);
  EXPECT_EQ(delta->gone, (std::vector<std::string>{"tenant-7", "tenant-7-12"}));
  EXPECT_EQ(parse_list(R"({"sequence":9,"complete":true,"bundles":[],"gone":[],"next":41})")->next, 41);
  for (char const* const bad : {R"("complete":1)", R"("gone":["../x"])", R"("gone":{})", R"("next":-1)"}) {
    EXPECT_FALSE(parse_list(R"({"sequence":9,"bundles":[],)" + std::string(bad) + "}")) << bad;
  }
}

TEST(BundleList, SaysWhatIsLeavingWhichIsNoDifference) {
  auto const list_of = [](std::string const& more) {
    std::string item = item_json();
    item.pop_back();
    return parse_list(R"({"sequence":9,"bundles":[)" + item + more + "}]}");
  };
  ASSERT_TRUE(list_of(R"(,"leaving":true)"));
  EXPECT_TRUE(list_of(R"(,"leaving":true)")->bundles.at(0).leaving);
  EXPECT_FALSE(list_of("")->bundles.at(0).leaving) << "older Navigators do not say it";
  EXPECT_EQ(list_of(R"(,"leaving":true)")->bundles, list_of("")->bundles) << "it is not fetched for that";
  EXPECT_FALSE(list_of(R"(,"leaving":1)"));
}

TEST(BundleList, OneBrokenItemRefusesTheListBecauseAMissingItemMeansRemoval) {
  EXPECT_FALSE(parse_list(R"({"sequence":1,"bundles":[)" + item_json() + R"(,{"id":"tenant-8"}]})"));
  EXPECT_FALSE(parse_list(R"({"sequence":1,"bundles":[)" + item_json() + "," + item_json() + "]}"));
}

TEST(BundleItem, RefusesWhatWouldBeAPathOrALineOfConfiguration) {
  for (char const* const id : {"", ".", "..", "a/b", "-x", "A", "a b", "a\\u0000b", "tenant_7"}) {
    EXPECT_FALSE(parse_item(item_json(id))) << id;
  }
  for (char const* const name : {"", "a;b", "a b", "a\\nb", "*", "a.*", "$host", "a..b", ".a", "a.", "{a}", "\\\"a"}) {
    EXPECT_FALSE(parse_item(item_json("x", name))) << name;
  }
}

TEST(BundleItem, ComesBackFromItsOwnJson) {
  BundleItem const item{"tenant-7", "acme-tv", {"*.a.example", "a.example"}, digest, 12};
  auto const again = parse_item(to_json(item));
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, item);
}

TEST(BundleItem, ProbesAConcreteName) {
  EXPECT_EQ(probe_name({"x", "x", {"*.a.example", "a.example"}, digest, 1}), "a.example");
  EXPECT_EQ(probe_name({"x", "x", {"*.a.example"}, digest, 1}), "probe.a.example");
  EXPECT_EQ(probe_name({}), "");
}

TEST(Bundle, RefusesWhatIsNoPemText) {
  std::string const head = item_json();
  std::string const open = head.substr(0, head.size() - 1);
  EXPECT_TRUE(parse_bundle(open + R"(,"chain_pem":"-----BEGIN C\nx","key_pem":"-----BEGIN K\nx"})"));
  EXPECT_FALSE(parse_bundle(open + R"(,"chain_pem":"x","key_pem":"-----BEGIN K\nx"})"));
  EXPECT_FALSE(parse_bundle(open + R"(,"chain_pem":"-----BEGIN C\u0000","key_pem":"-----BEGIN K\nx"})"));
  EXPECT_FALSE(parse_bundle(open + "}"));
}

class VerifyTest : public testing::Test {
 protected:
  Bundle make() const {
    Bundle bundle;
    bundle.item = {"tenant-7", "acme-tv", {"a.example"}, "", 1};
    bundle.chain_pem = ca.chain(key.get(), {{"a.example"}});
    bundle.key_pem = test::key_pem(key.get());
    bundle.item.fingerprint = net::certificate_sha256(bundle.chain_pem).value();
    return bundle;
  }
  test::KeyHandle const key = test::make_key();
  test::TestCa const ca;
};

TEST_F(VerifyTest, AcceptsTheAnnouncedCertificateWithItsKey) {
  EXPECT_TRUE(verify(make()));
}

TEST_F(VerifyTest, RefusesAnotherCertificateAnotherKeyAndDamage) {
  Bundle other = make();
  other.item.fingerprint = digest;
  EXPECT_EQ(verify(other).error().code, errc::bad_bundle);
  Bundle foreign = make();
  foreign.key_pem = test::key_pem(test::make_key().get());
  EXPECT_EQ(verify(foreign).error().code, errc::bad_bundle);
  Bundle damaged = make();
  damaged.chain_pem = "-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n";
  EXPECT_EQ(verify(damaged).error().code, errc::bad_bundle);
}

}  // namespace
}  // namespace edge
