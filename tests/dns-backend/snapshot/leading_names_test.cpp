#include "dns-backend/snapshot/persistent/leading_names.hpp"

#include "dns-backend/dns/name.hpp"

#include <gmock/gmock.h>

#include <map>
#include <random>

namespace store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string key(std::string const& text) {
  return dns::Name::parse(text).value().key();
}

Links to(std::string const& target, bool below = false, bool subtree = false) {
  return {{key(target), below, subtree}};
}

std::vector<std::string> leading(LeadingNames const& index, std::string const& target, bool subtree = false) {
  std::vector<std::string> out;
  index.visit(key(target), subtree, [&out](LeadingNames::Lead const& lead) {
    out.push_back(dns::Name::from_key(lead.alias).text() + (lead.subtree ? "$" : ""));
    return true;
  });
  return out;
}

TEST(LeadingNames, AreFoundByTheirTargetOrByWhatIsAboveIt) {
  LeadingNames index;
  index.set(1, key("a.example.org"), {}, to("lb.example.net"));
  index.set(1, key("b.example.org"), {}, to("deep.lb.example.net"));
  index.set(2, key("c.example.com"), {}, to("lb.example.net"));
  EXPECT_THAT(leading(index, "lb.example.net"), ElementsAre("c.example.com.", "a.example.org."));
  EXPECT_THAT(leading(index, "lb.example.net", true),
              ElementsAre("c.example.com.", "a.example.org.", "b.example.org."));
  EXPECT_THAT(leading(index, "example.net"), IsEmpty());
  EXPECT_THAT(leading(index, "example.net", true).size(), 3U);
  EXPECT_THAT(leading(index, ".", true).size(), 3U);
  index.set(1, key("a.example.org"), to("lb.example.net"), to("other.example.net"));
  EXPECT_THAT(leading(index, "lb.example.net"), ElementsAre("c.example.com."));
  EXPECT_THAT(leading(index, "other.example.net"), ElementsAre("a.example.org."));
}

TEST(LeadingNames, ADnameLeadsToWhatIsBelowItsTarget) {
  LeadingNames index;
  index.set(1, key("old.example.org"), {}, to("new.example.org", true, true));
  EXPECT_THAT(leading(index, "x.new.example.org"), ElementsAre("old.example.org.$"));
  EXPECT_THAT(leading(index, "y.x.new.example.org", true), ElementsAre("old.example.org.$"));
  EXPECT_THAT(leading(index, "new.example.org"), IsEmpty()) << "the name itself is not reached";
  EXPECT_THAT(leading(index, "new.example.org", true), ElementsAre("old.example.org.$"));
  EXPECT_THAT(leading(index, "x.news.example.org"), IsEmpty());
  index.set(1, key("all.example.org"), {}, to(".", true, true));
  EXPECT_THAT(leading(index, "org"), ElementsAre("all.example.org.$"));
}

TEST(LeadingNames, OneNameInTwoZonesIsTwo) {
  LeadingNames index;
  std::string const name = key("sub.example.org");
  index.set(1, name, {}, to("ns.sub.example.org", false, true));
  index.set(2, name, {}, to("ns.sub.example.org"));
  index.set(2, name, to("ns.sub.example.org"), {});
  EXPECT_THAT(leading(index, "ns.sub.example.org"), ElementsAre("sub.example.org.$")) << "the zone above has it still";
}

TEST(LeadingNames, OctetsOfLabelsAreNoEndOfAName) {
  LeadingNames index;
  index.set(1, key("a"), {}, to("\\000.example"));
  index.set(1, key("b"), {}, to("\\000\\000.example"));
  index.set(1, key("c"), {}, to("\\001.example"));
  EXPECT_THAT(leading(index, "example"), IsEmpty());
  EXPECT_THAT(leading(index, "\\000.example"), ElementsAre("a."));
  EXPECT_THAT(leading(index, "\\000\\000.example"), ElementsAre("b."));
}

// Made at once or one by one, and whatever came and went meanwhile: the same.
TEST(LeadingNames, AreTheSameHoweverTheyCameToBe) {
  std::mt19937 random(1);
  auto const some = [&random] { return "n" + std::to_string(random() % 30) + ".example.org"; };
  LeadingNames index;
  std::map<std::string, Links> now;
  for (int step = 0; step < 2000; ++step) {
    std::string const alias = key(some());
    Links links;
    for (auto count = random() % 3; count > 0; --count) {
      bool const below = random() % 4 == 0;
      std::string const target = key(some());
      if (!links.contains({target, below, true}) && !links.contains({target, below, false})) {
        links.insert({target, below, random() % 2 == 0});
      }
    }
    index.set(7, alias, now[alias], links);
    now[alias] = links;
  }
  std::vector<LeadingNames::Named> named;
  for (auto const& [alias, links] : now) {
    named.push_back({7, alias, links});
  }
  LeadingNames const whole = LeadingNames::of(named);
  EXPECT_EQ(index.size(), whole.size());
  for (int i = 0; i < 30; ++i) {
    std::string const target = "n" + std::to_string(i) + ".example.org";
    EXPECT_EQ(leading(index, target), leading(whole, target));
    EXPECT_EQ(leading(index, "x." + target), leading(whole, "x." + target));
  }
  EXPECT_EQ(leading(index, "example.org", true), leading(whole, "example.org", true));
}

}  // namespace
}  // namespace store
