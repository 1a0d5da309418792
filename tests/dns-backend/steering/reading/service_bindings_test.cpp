#include "dns-backend/steering/reading/read.hpp"

#include <gmock/gmock.h>
#include <boost/json/serialize.hpp>

namespace {

using steering::Kind;
using steering::ServiceBinding;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

steering::Read<steering::Object> read(std::string const& bindings, std::string const& name = "www.example.org") {
  std::string const text = "{name: " + name + ", default_pools: [p], service_bindings: [" + bindings + "]}";
  auto const document = config::Document::parse(text, "lb.yaml");
  EXPECT_TRUE(document.has_value()) << base::text(document ? base::Problems() : document.error());
  return steering::read_object(*document, Kind::load_balancer);
}

std::vector<std::string> wrong(std::string const& bindings) {
  auto const object = read(bindings);
  std::vector<std::string> out;
  for (auto const& problem : object ? base::Problems() : object.error()) {
    out.push_back(problem.path + ": " + problem.message + " (" + problem.hint + ")");
  }
  return out;
}

ServiceBinding right(std::string const& binding, std::string const& name = "www.example.org") {
  auto const object = read(binding, name);
  EXPECT_TRUE(object.has_value()) << base::text(object ? base::Problems() : object.error());
  auto const bindings = object ? std::get<steering::Balancer>(*object).service_bindings : std::vector<ServiceBinding>();
  EXPECT_EQ(bindings.size(), 1U);
  return bindings.empty() ? ServiceBinding() : bindings.front();
}

TEST(ServiceBindings, AreReadFieldByField) {
  EXPECT_EQ(right("{type: HTTPS}"), (ServiceBinding{"HTTPS", 1, ".", {}, {}, false, 0, {}, true}));
  EXPECT_EQ(
      right("{type: SVCB, priority: 65535, target: Svc.Example.NET, mandatory: [ech, port, alpn], alpn: [h3, h2], "
            "no_default_alpn: true, port: 8443, ech: AAX+DQABAA==, hints: true}"),
      (ServiceBinding{
          "SVCB", 65535, "svc.example.net.", {"alpn", "port", "ech"}, {"h3", "h2"}, true, 8443, "AAX+DQABAA==", true}));
  EXPECT_EQ(right("{type: HTTPS, priority: 0, target: other.example.org}"),
            (ServiceBinding{"HTTPS", 0, "other.example.org.", {}, {}, false, 0, {}, false}));
  EXPECT_EQ(right("{type: HTTPS, priority: 0, target: other.example.org, hints: false}").target, "other.example.org.");
}

TEST(ServiceBindings, HintAtTheirOwnNameUnlessToldOtherwise) {
  EXPECT_TRUE(right("{type: HTTPS, target: www.example.org}").hints);
  EXPECT_FALSE(right("{type: HTTPS, target: other.example.org}").hints) << "the addresses here are not that name's";
  EXPECT_TRUE(right("{type: HTTPS, target: other.example.org, hints: true}").hints);
  EXPECT_FALSE(right("{type: HTTPS, hints: false}").hints);
}

TEST(ServiceBindings, GiveBackWhatToJsonMade) {
  auto const object = read(
      "{type: HTTPS, alpn: [h2], hints: false}, {type: HTTPS, priority: 2, target: a.example.org}, "
      "{type: SVCB, priority: 0, target: b.example.org}");
  ASSERT_TRUE(object.has_value()) << base::text(object.error());
  auto const again =
      steering::read_json_object(boost::json::serialize(steering::to_json(*object)), Kind::load_balancer);
  ASSERT_TRUE(again.has_value()) << base::text(again.error());
  EXPECT_EQ(*again, *object);
  auto const none = read("");
  ASSERT_TRUE(none.has_value());
  EXPECT_FALSE(steering::to_json(*none).contains("service_bindings")) << "older replicas go on reading such a row";
}

struct Case {
  char const* bindings;
  char const* problem;
};

class RefusedBinding : public testing::TestWithParam<Case> {};

TEST_P(RefusedBinding, WithItsField) {
  EXPECT_THAT(wrong(GetParam().bindings), ElementsAre(HasSubstr(GetParam().problem)));
}

INSTANTIATE_TEST_SUITE_P(
    ServiceBindings, RefusedBinding,
    testing::ValuesIn(std::vector<Case>{
        {"{alpn: [h2]}", "service_bindings[0].type: the key 'type' is missing (HTTPS"},
        {"{type: A}", "service_bindings[0].type: 'A' is none of HTTPS, SVCB"},
        {"{type: HTTPS, priority: 65536}", "service_bindings[0].priority: '65536' is outside 0 to 65535"},
        {"{type: HTTPS, port: 0}", "service_bindings[0].port: '0' is outside 1 to 65535"},
        {"{type: HTTPS, port: 70000}", "service_bindings[0].port: '70000' is outside"},
        {"{type: HTTPS, no-default-alpn: true}", "'no-default-alpn' is unknown (did you mean 'no_default_alpn'?)"},
        {"{type: HTTPS, ipv4hint: 192.0.2.1}", "the key 'ipv4hint' is unknown"},
        {"{type: HTTPS, hint: true}", "'hint' is unknown (did you mean 'hints'?)"},
        {"{type: HTTPS, target: 'a b'}", "service_bindings[0].target: 'a b' is no host name in full ('.' stands for"},
        {"{type: HTTPS, target: svc}", "target: 'svc' is no host name in full"},
        {"{type: HTTPS, target: 192.0.2.1}", "target: '192.0.2.1' is no host name in full"},
        {"{type: HTTPS, target: '*.example.org'}", "is no host name"},
        {"{type: HTTPS, alpn: ['h2,h3']}", "service_bindings[0].alpn[0]: 'h2,h3' is no protocol (for instance h2"},
        {"{type: HTTPS, alpn: [h2, 'h 3']}", "service_bindings[0].alpn[1]: 'h 3' is no protocol"},
        {"{type: HTTPS, alpn: [h2, h2]}", "service_bindings[0].alpn[1]: 'h2' is named twice"},
        {"{type: HTTPS, alpn: [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q]}", "alpn: names more than 16 protocols"},
        {"{type: HTTPS, no_default_alpn: true}", "service_bindings[0].no_default_alpn: leaves no protocol"},
        {"{type: HTTPS, ech: '###'}", "service_bindings[0].ech: is no base64"},
        {"{type: HTTPS, ech: AAX+DQABAA}", "ech: is no base64"},
        {"{type: HTTPS, ech: AAX+DQABAB==}", "ech: is no base64"},
        {"{type: HTTPS, ech: AAX+DQAB}", "ech: is no ECHConfigList: its first two octets"},
        {"{type: HTTPS, mandatory: [alpn]}", "service_bindings[0].mandatory[0]: 'alpn' is not set here"},
        {"{type: HTTPS, port: 1, mandatory: [port, ipv4hint]}", "mandatory[1]: 'ipv4hint' cannot be mandatory"},
        {"{type: HTTPS, port: 1, mandatory: [key7]}", "mandatory[0]: 'key7' is no parameter"},
        {"{type: HTTPS, port: 1, mandatory: [port, port]}", "mandatory[1]: 'port' is named twice"},
        {"{type: HTTPS, priority: 0}", "service_bindings[0]: the key 'target' is missing"},
        {"{type: HTTPS, priority: 0, target: .}", "service_bindings[0].target: an alias leads to another name"},
        {"{type: HTTPS, priority: 0, target: www.example.org.}", "an alias leads to another name (this is the load"},
        {"{type: HTTPS, priority: 0, target: a.example.org, port: 1}", "service_bindings[0].port: means nothing"},
        {"{type: HTTPS, priority: 0, target: a.example.org, alpn: [h2]}", "service_bindings[0].alpn: means nothing"},
        {"{type: HTTPS, priority: 0, target: a.example.org, hints: true}", "service_bindings[0].hints: mean nothing"},
        {"{type: HTTPS, priority: 0, target: a.example.org}, {type: HTTPS, priority: 0, target: b.example.org}",
         "service_bindings[1]: there can be only one alias of type HTTPS"},
        {"{type: HTTPS}, {type: HTTPS, priority: 0, target: b.example.org}",
         "service_bindings[1]: beside an alias of type HTTPS every service"},
        {"{type: HTTPS}, {type: HTTPS, hints: false}", "service_bindings[1]: is the same as one before it"},
    }));

TEST(ServiceBindings, TellEverythingAtOnce) {
  EXPECT_THAT(wrong("{type: A, priority: -1, alpn: [',']}, {type: HTTPS, prot: 3, ech: x}"), testing::SizeIs(5));
  std::string many;
  for (int i = 0; i < 17; ++i) {
    many += (i == 0 ? "{type: HTTPS, priority: " : ", {type: HTTPS, priority: ") + std::to_string(i + 1) + "}";
  }
  EXPECT_THAT(wrong(many), ElementsAre(HasSubstr("service_bindings: has more than 16 bindings")));
  EXPECT_THAT(wrong("{type: HTTPS, priority: 0, target: a.example.org}, {type: SVCB}"), IsEmpty()) << "types are apart";
}

}  // namespace
