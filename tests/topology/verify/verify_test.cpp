#include "topology/verify/verify.hpp"

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include <set>

namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A square a-b-c-d with the diagonal a-c; two sites; a service on a and c. Made by hand, so that the checker is held
// against what a person worked out, not against the prover.
verify::Subject square() {
  verify::Subject out;
  out.nodes = {"a", "b", "c", "d"};
  out.links = {{"a", "b"}, {"a", "c"}, {"a", "d"}, {"b", "c"}, {"c", "d"}};
  out.groups = {
      {"site", "east", {"a", "b"}, {}}, {"site", "west", {"c", "d"}, {}}, {"risk", "cable", {}, {{"a", "c"}}}};
  out.reliances = {{"service", "dns", {"a", "c"}}};
  return out;
}

// Order a, b, c, d: a and d are linked; b lies between a and c, c between b and d.
json::object certificate() {
  auto value = json::parse(R"({"format": "sovereign-mesh-proof-1", "topology": "square", "digest": "",
      "nodes": ["a", "b", "c", "d"], "links": [[0, 1], [0, 2], [0, 3], [1, 2], [2, 3]],
      "groups": [{"kind": "site", "name": "east", "nodes": [0, 1], "links": []},
                 {"kind": "site", "name": "west", "nodes": [2, 3], "links": []},
                 {"kind": "risk", "name": "cable", "nodes": [], "links": [1]}],
      "reliances": [{"kind": "service", "name": "dns", "nodes": [0, 2]}],
      "order": [0, 1, 2, 3], "back": [0, 3, 4], "onward": [0, 3, 4],
      "trees": [[4], [0], [0, 3, 4]], "survivors": [[2, 0]]})");
  value.get_object()["digest"] = verify::digest_of(square());
  return value.get_object();
}

std::string refusal(json::object const& value) {
  auto const checked = verify::check(json::serialize(value));
  return checked ? std::string() : checked.error().detail;
}

TEST(Verify, AcceptsWhatWasWorkedOutByHand) {
  auto const text = json::serialize(certificate());
  auto const checked = verify::check(text, square());
  ASSERT_TRUE(checked) << checked.error().what();
  EXPECT_EQ(checked->topology, "square");
  EXPECT_EQ(checked->nodes, 4U);
  EXPECT_EQ(checked->links, 5U);
  EXPECT_EQ(checked->groups, 3U);
  EXPECT_EQ(checked->reliances, 1U);
}

TEST(Verify, RefusesACertificateOfAnotherGraph) {
  auto const text = json::serialize(certificate());
  auto subject = square();
  subject.links.pop_back();
  auto const checked = verify::check(text, subject);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, verify::errc::another_graph);
  EXPECT_THAT(checked.error().detail, StartsWith("digest: "));
}

TEST(Verify, RefusesAGraphThatWasChangedUnderItsDigest) {
  auto value = certificate();
  value["nodes"].get_array()[3] = "e";
  EXPECT_THAT(refusal(value), StartsWith("digest: it is not that of"));
}

TEST(Verify, NamesThePlaceOfEachKindOfFalseClaim) {
  struct Case {
    std::function<void(json::object&)> tamper;
    std::string refusal;
  };
  std::vector<Case> const cases = {
      {[](auto& v) { v["order"].get_array()[1] = 0; }, "order[1]: node 'a' is there twice"},
      {[](auto& v) { v["back"].get_array()[0] = 3; }, "back[0]: link 'b--c' does not lead from node 'b'"},
      {[](auto& v) { v["back"].get_array()[0] = 4; }, "back[0]: link 'c--d' does not lead from node 'b'"},
      {[](auto& v) { v["onward"].get_array()[1] = 0; }, "onward[1]: link 'a--b' does not lead from node 'b'"},
      {[](auto& v) { v["order"].get_array().pop_back(); }, "order: it does not name every node"},
      {[](auto& v) { v["trees"].get_array()[0].get_array()[0] = 3; }, "trees[0][0]: without site 'east' link 'b--c'"},
      {[](auto& v) { v["trees"].get_array()[0].get_array().clear(); }, "trees[0]: without site 'east' node 'd' is"},
      {[](auto& v) { v["trees"].get_array()[2].get_array()[0] = 1; }, "trees[2][0]: without risk 'cable' link 'a--c'"},
      {[](auto& v) { v["trees"].get_array()[2].get_array()[1] = 0; }, "trees[2][1]: without risk 'cable' link 'a--b'"},
      {[](auto& v) { v["trees"].get_array().pop_back(); }, "trees: there is not one for each group"},
      {[](auto& v) { v["survivors"].get_array()[0].get_array()[0] = 0; }, "survivors[0][0]: node 'a' is no node of"},
      {[](auto& v) { v["survivors"].get_array()[0].get_array()[0] = 3; }, "survivors[0][0]: node 'd' is no node of"},
      {[](auto& v) { v["survivors"].get_array()[0].get_array().pop_back(); }, "survivors[0]: service 'dns' has no"},
      {[](auto& v) { v["survivors"].get_array()[0].get_array().push_back(0); }, "survivors[0]: it names more nodes"},
  };
  for (auto const& one : cases) {
    auto value = certificate();
    one.tamper(value);
    EXPECT_THAT(refusal(value), StartsWith(one.refusal));
  }
}

TEST(Verify, RefusesAnOrderWhoseEndsAreNotLinked) {
  auto value = certificate();
  value["order"] = json::array{1, 0, 2, 3};
  value["back"] = json::array{0, 1, 4};
  value["onward"] = json::array{0, 1, 4};
  EXPECT_EQ(refusal(value), "order: its first, node 'b', and its last, node 'd', are not linked");
}

TEST(Verify, RefusesWhatHangsOnOneLinkOrOneNode) {
  auto value = json::parse(R"({"format": "sovereign-mesh-proof-1", "topology": "two", "digest": "", "nodes": ["a", "b"],
      "links": [[0, 1]], "groups": [], "reliances": [], "order": [], "back": [], "onward": [], "trees": [],
      "survivors": []})")
                   .get_object();
  value["digest"] = verify::digest_of({{"a", "b"}, {{"a", "b"}}, {}, {}});
  EXPECT_EQ(refusal(value), "nodes: two nodes with one link do not survive its loss");
  auto alone = certificate();
  auto subject = square();
  subject.reliances[0].nodes = {"a"};
  alone["reliances"].get_array()[0].get_object()["nodes"] = json::array{0};
  alone["digest"] = verify::digest_of(subject);
  alone["survivors"] = json::array{json::array{}};
  EXPECT_EQ(refusal(alone), "reliances[0]: service 'dns' hangs on node 'a' alone");
}

TEST(Verify, ReadsNothingThatIsNoCertificate) {
  for (auto const* text : {"", "[]", "{}", "null", "{\"format\": 1}"}) {
    auto const checked = verify::check(text);
    ASSERT_FALSE(checked) << text;
    EXPECT_EQ(checked.error().code, verify::errc::not_a_certificate) << text;
  }
  struct Case {
    std::function<void(json::object&)> tamper;
    std::string refusal;
  };
  std::vector<Case> const cases = {
      {[](auto& v) { v["extra"] = 1; }, "extra: a certificate has no such member"},
      {[](auto& v) { v["format"] = "sovereign-mesh-proof-2"; }, "format: is not"},
      {[](auto& v) { v["nodes"].get_array()[1] = "a"; }, "nodes[1]: is not behind the name before it"},
      {[](auto& v) { v["nodes"].get_array()[1] = "a\nlink a d"; }, "nodes[1]: holds a blank"},
      {[](auto& v) {
         v["links"].get_array()[0] = json::array{0, 9};
       },
       "links[0][1]: is not a number below 4"},
      {[](auto& v) {
         v["links"].get_array()[0] = json::array{1, 0};
       },
       "links[0]: is not in order"},
      {[](auto& v) { v["back"].get_array()[0] = -1; }, "back[0]: is not a number below 5"},
      {[](auto& v) { v["back"].get_array()[0] = 0.5; }, "back[0]: is not a number below 5"},
      {[](auto& v) { v["order"] = "abcd"; }, "order: is not a list"},
      {[](auto& v) { v["groups"].get_array()[0].get_object().erase("links"); }, "groups[0].links: is not a list"},
  };
  for (auto const& one : cases) {
    auto value = certificate();
    one.tamper(value);
    EXPECT_THAT(refusal(value), HasSubstr(one.refusal));
  }
}

TEST(Digest, IsTheSameHoweverTheGraphIsListedAndAnotherForAnotherGraph) {
  auto turned = square();
  std::reverse(turned.nodes.begin(), turned.nodes.end());
  std::reverse(turned.links.begin(), turned.links.end());
  std::swap(turned.links[0].first, turned.links[0].second);
  std::reverse(turned.groups.begin(), turned.groups.end());
  EXPECT_EQ(verify::digest_of(turned), verify::digest_of(square()));
  std::set<std::string> all{verify::digest_of(square())};
  auto changed = square();
  changed.groups[2].links.clear();
  all.insert(verify::digest_of(changed));
  changed = square();
  changed.groups[0].kind = "provider";
  all.insert(verify::digest_of(changed));
  changed = square();
  changed.reliances[0].nodes.pop_back();
  all.insert(verify::digest_of(changed));
  EXPECT_EQ(all.size(), 4U);
}

}  // namespace
