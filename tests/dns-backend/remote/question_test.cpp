#include "dns-backend/protocol/question.hpp"

#include "world.hpp"

#include "dns-backend/geo/cidr_map.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <new>

namespace {

// Counts what this binary takes from the heap. One thread at a time asks.
std::size_t taken = 0;

}  // namespace

void* operator new(std::size_t size) {
  ++taken;
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) {
    return memory;
  }
  throw std::bad_alloc();
}
void* operator new(std::size_t size, std::nothrow_t const&) noexcept {
  ++taken;
  return std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace remote {
namespace {

std::optional<Question> read(std::string const& line) {
  static QuestionReader reader;
  return reader.read(line);
}

TEST(Question, the_form_powerdns_writes_is_read_in_place) {
  std::string const line = test::lookup("WWW.example.org.", "A", 7);
  auto const question = read(line);
  ASSERT_TRUE(question);
  EXPECT_EQ(question->qname, "WWW.example.org.");
  EXPECT_EQ(question->key, test::name("www.example.org").key());
  EXPECT_EQ(question->type, dns::type_a);
  EXPECT_EQ(question->zone_id, 7);
}

TEST(Question, ids_of_any_zone_come_in_two_forms) {
  EXPECT_EQ(read(R"({"method":"lookup","parameters":{"qname":"a.","qtype":"ANY","zone-id":-1}})")->zone_id, any_zone);
  EXPECT_EQ(read(R"({"method":"lookup","parameters":{"zone-id":4294967295,"qtype":"ANY","qname":"a."}})")->zone_id,
            any_zone);
}

TEST(Question, names_keep_the_escapes_they_came_with) {
  std::string const line = test::lookup(R"(a\\032b\\.c.example.org.)");
  auto const question = read(line);
  ASSERT_TRUE(question);
  EXPECT_EQ(question->qname, R"(a\\032b\\.c.example.org.)");
  EXPECT_EQ(question->key, test::name(R"(a\032b\.c.example.org.)").key());
}

TEST(Question, the_client_is_the_prefix_or_else_the_resolver_and_zeros_are_nobody) {
  auto const client = [](std::string const& fields) {
    std::string const line = R"({"method":"lookup","parameters":{"qname":"a.","qtype":"A")" + fields + "}}";
    geo::Client const quick = read(line)->client;
    EXPECT_EQ(std::get<Lookup>(parse_request(line)->body).client, quick) << "both readers agree";
    return geo::to_text(quick);
  };
  EXPECT_EQ(client(R"(,"real-remote":"192.0.2.0/24","remote":"198.51.100.1")"), "192.0.2.0/24");
  EXPECT_EQ(client(R"(,"remote":"198.51.100.1","real-remote":"2001:db8::/56")"), "2001:db8::/56");
  EXPECT_EQ(client(R"(,"remote":"198.51.100.1")"), "198.51.100.1/32");
  EXPECT_EQ(client(R"(,"remote":"198.51.100.1","real-remote":"nonsense")"), "198.51.100.1/32");
  for (char const* const nobody :
       {"", R"(,"real-remote":"0.0.0.0/0","remote":"0.0.0.0")", R"(,"real-remote":"0.0.0.0","remote":"198.51.100.1")",
        R"(,"real-remote":"::/0")", R"(,"remote":"?")"}) {
    EXPECT_EQ(client(nobody), "0.0.0.0/0") << nobody;
  }
  auto const thorough = parse_request(R"({"method":"lookup","parameters":{"qname":"a.","qtype":"A","remote":7,)"
                                      R"("real-remote":"192.0.2.0\/24"}})");
  EXPECT_EQ(geo::to_text(std::get<Lookup>(thorough->body).client), "192.0.2.0/24");
}

TEST(Question, everything_else_is_left_to_the_thorough_reader) {
  for (char const* const line :
       {"", "{", "[]", R"({"method":"list","parameters":{"qname":"a.","qtype":"A"}})",
        R"({"method":"lookup","parameters":{"qname":"a.","qtype":"A"}} {})",
        R"({"method":"lookup","parameters":{"qname":"a.","qtype":"A"})",
        R"({"method":"lookup","parameters":{"qname":"a..b.","qtype":"A"}})",
        R"({"method":"lookup","parameters":{"qname":"a.","qtype":"NOSUCH"}})",
        R"({"method":"lookup","parameters":{"qname":"\u0061.","qtype":"A"}})",
        R"({"method":"lookup","parameters":{"qname":"a.","qtype":"A","zone-id":"1"}})",
        R"({"method":"lookup","parameters":{"qname":"a.","qtype":"A","zone-id":01}})",
        R"({"method":"lookup","parameters":{"qname":"a.","qtype":"A","zone-id":1.5}})",
        R"({"method":"lookup","parameters":{"qname":1,"qtype":"A"}})",
        R"({"method":"lookup","parameters":{"qname":"a.","qtype":"A","real-remote":"192.0.2.0\/24"}})",
        R"({"method":"lookup","parameters":{"qname":"a.","qtype":"A","remote":7}})",
        R"({"method":"lookup","parameters":{"qtype":"A"}})"}) {
    EXPECT_FALSE(read(line)) << line;
  }
  EXPECT_FALSE(read(test::lookup(std::string(2000, 'a'))));
}

TEST(Question, the_quick_answer_is_the_thorough_one) {
  auto const snapshot = test::snapshot({test::example()});
  pool::HealthTable const health;
  for (char const* const name : {"example.org.", "Www.example.org.", "missing.example.org.", "ent.example.org.",
                                 "sub.example.org.", "ns.sub.example.org.", "other.test.", "."}) {
    for (char const* const type : {"ANY", "A", "SOA", "DS"}) {
      std::string quick;
      std::string const line = test::lookup(name, type);
      ASSERT_TRUE(answer_at_once(line, {*snapshot, health, false, nullptr}, quick)) << line;
      EXPECT_EQ(quick, test::ask(*snapshot, line)) << line;
    }
  }
}

std::string metadata_of(std::string const& zone) {
  return R"({"method": "getAllDomainMetadata", "parameters": {"name": ")" + zone + "\"}}";
}

TEST(Question, metadata_are_told_at_once_as_the_thorough_way_tells_them) {
  test::ZoneDraft draft = test::example();
  draft.metadata = {{"ALLOW-AXFR-FROM", {"192.0.2.0/24", "a \"quoted\" one"}}, {"SOA-EDIT", {"INCEPTION-INCREMENT"}}};
  auto const snapshot = test::snapshot({draft});
  pool::HealthTable const health;
  for (char const* const name : {"example.org.", "EXAMPLE.org.", "www.example.org.", "other.test.", "."}) {
    std::string quick;
    auto const answered = answer_at_once(metadata_of(name), {*snapshot, health, false, nullptr}, quick);
    ASSERT_TRUE(answered) << name;
    EXPECT_EQ(answered->method, Method::get_all_domain_metadata) << name;
    EXPECT_TRUE(answered->settled) << name;
    EXPECT_EQ(quick, test::ask(*snapshot, metadata_of(name))) << name;
  }
  EXPECT_NE(test::ask(*snapshot, metadata_of("example.org.")).find("INCEPTION-INCREMENT"), std::string::npos);
}

TEST(Question, metadata_of_another_form_are_left_to_the_thorough_way) {
  QuestionReader reader;
  for (char const* const line : {R"({"method":"getAllDomainMetadata","parameters":{"name":"a..b."}})",
                                 R"({"method":"getAllDomainMetadata","parameters":{"name":7}})",
                                 R"({"method":"getAllDomainMetadata","parameters":{"name":"a.","name":"b."}})",
                                 R"({"method":"getAllDomainMetadata","parameters":{}})",
                                 R"({"method":"getAllDomainMetadata","parameters":{"name":"a."}}{)",
                                 R"({"method":"getDomainMetadata","parameters":{"name":"a.","kind":"SOA-EDIT"}})"}) {
    EXPECT_FALSE(reader.read_metadata(line)) << line;
  }
}

TEST(Question, an_empty_replica_answers_nothing_at_once) {
  store::Snapshot const snapshot;
  pool::HealthTable const health;
  std::string out;
  EXPECT_FALSE(answer_at_once(test::lookup("a."), {snapshot, health, true, nullptr}, out));
  EXPECT_FALSE(answer_at_once(metadata_of("a."), {snapshot, health, true, nullptr}, out));
  EXPECT_TRUE(out.empty());
}

// The heap is shared by all lookup loops, and what a lookup takes from it is where its worst case would come from.
TEST(Question, a_lookup_takes_nothing_from_the_heap) {
  pool::HealthTable health;
  test::ZoneDraft draft = test::example();
  auto pool = std::make_shared<pool::Pool>();
  for (char const* const endpoint : {"edge-1", "edge-2", "edge-3"}) {
    pool->endpoints.push_back({endpoint, "192.0.2.50", "2001:db8::50", "", health.slot(endpoint), true, 1});
  }
  auto far = std::make_shared<pool::Pool>(*pool);
  pool->coordinates = pool::Coordinates{52, 5};
  far->coordinates = pool::Coordinates{-34, 151};
  far->pools = {pool};
  auto const balance = [&](std::string const& name, pool::Steering steering, pool::OriginSteering origins) {
    far->origin_steering = origins;
    auto balancer = std::make_shared<pool::LoadBalancer>();
    balancer->name = "a name that is longer than what a string keeps in place.";
    balancer->steering = steering;
    balancer->failback_s = 60;
    balancer->pools = {pool, std::make_shared<pool::Pool>(*far)};
    balancer->region_pools["a region that is longer than what a string keeps in place"] = {far};
    balancer->bindings = {{65, "1 . alpn=h2,h3,http/1.1 port=8443", "", true}, {64, "1 . alpn=dot", "", true}};
    store::Entry& balanced = draft.at(name);
    balanced.balancer = balancer;
    balanced.balancer_has4 = balanced.balancer_has6 = true;
  };
  balance("tenant.example.org.", pool::Steering::off, pool::OriginSteering::all);
  balance("near.example.org.", pool::Steering::proximity, pool::OriginSteering::hash);
  balance("region.example.org.", pool::Steering::geo, pool::OriginSteering::random);
  balance("spread.example.org.", pool::Steering::hash, pool::OriginSteering::least_load);
  balance("mesh.example.org.", pool::Steering::mesh, pool::OriginSteering::all);
  auto const places =
      *geo::CidrMap::parse("127.0.0.0/8 a-region-that-is-longer-than-what-a-string-keeps-in-place -33,150", "");
  geo::SiteCosts const costs = {{"a site that is longer than what a string keeps", 7}};
  auto const snapshot = test::snapshot({draft});
  World const world{*snapshot, health, false, nullptr, 1'800'000'000, places.get(), &costs};
  std::string out;
  out.reserve(4096);
  for (char const* const name :
       {"example.org.", "www.example.org.", "tenant.example.org.", "near.example.org.", "region.example.org.",
        "spread.example.org.", "mesh.example.org.", "a.missing.example.org.", "other.test."}) {
    for (char const* const type : {"ANY", "A", "SOA", "NS", "HTTPS"}) {
      std::string const line = test::lookup(name, type);
      out.clear();
      std::size_t const before = taken;
      bool const answered = answer_at_once(line, world, out).has_value();
      EXPECT_EQ(taken, before) << line;
      EXPECT_TRUE(answered);
    }
  }
  out.clear();
  std::string const line = metadata_of("example.org.");
  std::size_t const before = taken;
  bool const answered = answer_at_once(line, world, out).has_value();
  EXPECT_EQ(taken, before);
  EXPECT_TRUE(answered);
  EXPECT_NE(taken, 0U);
}

}  // namespace
}  // namespace remote
