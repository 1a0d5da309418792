#include "dns-backend/pool/bindings.hpp"

#include "world.hpp"

#include <gmock/gmock.h>

namespace pool {
namespace {

std::string text(Binding const& binding, Selection const* four, Selection const* six) {
  Content content;
  content.push_back('?');  // what was there goes
  fill_content(content, binding, four, six);
  return {content.data(), content.size()};
}

struct Case {
  char const* what;
  Binding binding;
  std::vector<std::string> four;  // addresses of the endpoints selected; "-": the family is not served
  std::vector<std::string> six;
  char const* content;
};

class FillContent : public testing::TestWithParam<Case> {};

TEST_P(FillContent, PutsEachHintInItsPlace) {
  Case const& one = GetParam();
  std::vector<Endpoint> endpoints;
  endpoints.reserve(one.four.size() + one.six.size());
  auto const selected = [&endpoints](std::vector<std::string> const& addresses, std::string Endpoint::*field) {
    Selection selection;
    for (std::string const& address : addresses) {
      endpoints.emplace_back().*field = address;
      selection.endpoints.push_back(&endpoints.back());
    }
    return selection;
  };
  Selection const four = selected(one.four, &Endpoint::address4);
  Selection const six = selected(one.six, &Endpoint::address6);
  bool const no_four = one.four == std::vector<std::string>{"-"};
  bool const no_six = one.six == std::vector<std::string>{"-"};
  EXPECT_EQ(text(one.binding, no_four ? nullptr : &four, no_six ? nullptr : &six), one.content) << one.what;
}

std::vector<Case> const cases{
    {"both",
     {65, "1 . alpn=h2", "", true},
     {"192.0.2.1"},
     {"2001:db8::1"},
     "1 . alpn=h2 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1"},
    {"ech is key 5 and stands between 4 and 6",
     {65, "1 . port=8443", " ech=AAEA", true},
     {"192.0.2.1"},
     {"2001:db8::1"},
     "1 . port=8443 ipv4hint=192.0.2.1 ech=AAEA ipv6hint=2001:db8::1"},
    {"several, in their order",
     {65, "1 .", "", true},
     {"192.0.2.9", "192.0.2.1"},
     {"2001:db8::2", "2001:db8::1"},
     "1 . ipv4hint=192.0.2.9,192.0.2.1 ipv6hint=2001:db8::2,2001:db8::1"},
    {"each once",
     {65, "1 .", "", true},
     {"192.0.2.9", "192.0.2.1", "192.0.2.9"},
     {"-"},
     "1 . ipv4hint=192.0.2.9,192.0.2.1"},
    {"nothing selected", {65, "1 . alpn=h3", " ech=AAEA", true}, {}, {}, "1 . alpn=h3 ech=AAEA"},
    {"one family has nothing", {64, "2 .", "", true}, {}, {"2001:db8::1"}, "2 . ipv6hint=2001:db8::1"},
    {"one family is not served", {64, "2 .", "", true}, {"192.0.2.1"}, {"-"}, "2 . ipv4hint=192.0.2.1"},
    {"without hints", {65, "1 . alpn=h2", " ech=AAEA", false}, {"192.0.2.1"}, {"2001:db8::1"}, "1 . alpn=h2 ech=AAEA"},
    {"an alias", {65, "0 other.example.", "", false}, {"192.0.2.1"}, {"-"}, "0 other.example."},
};

INSTANTIATE_TEST_SUITE_P(Bindings, FillContent, testing::ValuesIn(cases));

TEST(Bindings, NameAsManyAddressesAsARecordShouldHold) {
  std::vector<Endpoint> endpoints(hints_max + 3);
  Selection four;
  std::string wanted = "1 . ipv4hint=";
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    endpoints[i].address4 = "192.0.2." + std::to_string(i);
    four.endpoints.push_back(&endpoints[i]);
    wanted += i == 0 || i >= hints_max ? "" : ",";
    wanted += i < hints_max ? endpoints[i].address4 : "";
  }
  EXPECT_EQ(text({65, "1 .", "", true}, &four, nullptr), wanted);
}

TEST(Bindings, AreTypesOfTheNameWhateverTheHealth) {
  World world;
  world.pool("p", "a-");
  world.balancer.bindings = {{65, "1 .", "", false}, {65, "2 .", "", true}, {64, "0 x.", "", false}};
  EXPECT_TRUE(binds(world.balancer, 65));
  EXPECT_TRUE(binds(world.balancer, 64));
  EXPECT_TRUE(hints(world.balancer, 65)) << "one of them has";
  EXPECT_FALSE(hints(world.balancer, 64));
  world.balancer.bindings.clear();
  EXPECT_FALSE(binds(world.balancer, 65));
  EXPECT_FALSE(hints(world.balancer, 65));
}

}  // namespace
}  // namespace pool
