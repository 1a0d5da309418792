#include "dns-backend/steering/service_bindings.hpp"

#include "dns-backend/dns/rrset.hpp"
#include "dns-backend/pool/bindings.hpp"

#include <gmock/gmock.h>
#include <boost/json/serialize.hpp>

namespace {

using steering::ServiceBinding;

ServiceBinding everything() {
  return {"HTTPS", 7, "svc.example.net.", {"alpn", "port"}, {"h2", "http/1.1"}, true, 8443, "AAX+DQABAA==", true};
}

struct Case {
  ServiceBinding binding;
  char const* content;  // with one address of each family
};

class Record : public testing::TestWithParam<Case> {};

TEST_P(Record, IsWrittenAsZonesHaveIt) {
  pool::Endpoint endpoint;
  endpoint.address4 = "192.0.2.1";
  endpoint.address6 = "2001:db8::1";
  pool::Selection selection;
  selection.endpoints.push_back(&endpoint);
  pool::Binding const built = steering::build_binding(GetParam().binding);
  pool::Content content;
  pool::fill_content(content, built, &selection, &selection);
  std::string const text(content.data(), content.size());
  EXPECT_EQ(text, GetParam().content);
  dns::RRType const type{built.type};
  EXPECT_EQ(dns::to_text(type), GetParam().binding.type);
  auto const normal = dns::normalize_content(type, text);
  ASSERT_TRUE(normal.has_value()) << normal.error().what();
  EXPECT_EQ(*normal, text);
}

INSTANTIATE_TEST_SUITE_P(
    ServiceBindings, Record,
    testing::Values(Case{{}, "1 . ipv4hint=192.0.2.1 ipv6hint=2001:db8::1"},
                    Case{{"SVCB", 65535, ".", {}, {"dot"}, false, 853, {}, false}, "65535 . alpn=dot port=853"},
                    Case{{"HTTPS", 0, "other.example.org.", {}, {}, false, 0, {}, false}, "0 other.example.org."},
                    Case{{"HTTPS", 1, ".", {}, {"h2", "http/1.1"}, false, 8443, {}, true},
                         "1 . alpn=h2,http/1.1 port=8443 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1"},
                    Case{everything(),
                         "7 svc.example.net. mandatory=alpn,port alpn=h2,http/1.1 no-default-alpn port=8443 "
                         "ipv4hint=192.0.2.1 ech=AAX+DQABAA== ipv6hint=2001:db8::1"}));

TEST(ServiceBindings, AreJsonOfWhatIsSet) {
  EXPECT_EQ(boost::json::serialize(steering::to_json(everything())),
            R"({"type":"HTTPS","priority":7,"target":"svc.example.net.","mandatory":["alpn","port"],)"
            R"("alpn":["h2","http/1.1"],"no_default_alpn":true,"port":8443,"ech":"AAX+DQABAA==","hints":true})");
  EXPECT_EQ(boost::json::serialize(steering::to_json(ServiceBinding{})),
            R"({"type":"HTTPS","priority":1,"target":".","hints":true})");
  EXPECT_EQ(
      boost::json::serialize(steering::to_json(ServiceBinding{"SVCB", 0, "a.example.", {}, {}, false, 0, {}, false})),
      R"({"type":"SVCB","priority":0,"target":"a.example."})");
}

}  // namespace
