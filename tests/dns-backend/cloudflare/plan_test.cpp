#include "dns-backend/cloudflare/plan.hpp"

#include <gmock/gmock.h>

#include <random>

namespace cloudflare {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
constexpr char const* mark = "navigator:test";

dns::Name name(std::string_view text) {
  return dns::Name::parse(text).value();
}

Record record(std::string_view owner, dns::RRType type, std::string_view content, std::uint32_t ttl = 300) {
  Record out;
  out.name = name(owner);
  out.type = type;
  out.content = dns::normalize_content(type, content).value();
  out.ttl = ttl;
  return out;
}
Record ours(std::string id, Record out) {
  out.id = std::move(id);
  out.comment = mark;
  return out;
}
Record foreign(std::string id, Record out) {
  out.id = std::move(id);
  out.comment = "somebody else's";
  return out;
}

// "-id", "~id content ttl", "+owner type content"
std::vector<std::string> shown(Plan const& plan) {
  std::vector<std::string> out;
  for (Batch const& batch : plan.names) {
    for (std::string const& id : batch.deletes) {
      out.push_back("-" + id);
    }
    for (Record const& patch : batch.patches) {
      EXPECT_EQ(patch.comment, mark);
      out.push_back("~" + patch.id + " " + patch.content + " " + std::to_string(patch.ttl));
    }
    for (Record const& post : batch.posts) {
      EXPECT_EQ(post.comment, mark);
      EXPECT_EQ(post.id, "");
      out.push_back("+" + post.name.text() + " " + dns::to_text(post.type) + " " + post.content);
    }
  }
  return out;
}

std::vector<std::string> planned(std::vector<Record> const& wanted, std::vector<Record> const& observed) {
  return shown(plan(wanted, observed, mark));
}

TEST(CloudflarePlan, PostsWhatIsMissing) {
  EXPECT_THAT(planned({record("b.example", dns::type_a, "192.0.2.1"), record("a.example", dns::type_txt, "\"x\"")}, {}),
              ElementsAre("+a.example. TXT \"x\"", "+b.example. A 192.0.2.1"));
}

TEST(CloudflarePlan, ChangesNothingWhenAllIsThere) {
  std::vector<Record> const wanted{record("a.example", dns::type_a, "192.0.2.1"),
                                   record("a.example", dns::type_a, "192.0.2.2"),
                                   record("m.example", dns::type_mx, "10 mail.example.")};
  std::vector<Record> observed;
  for (Record const& one : wanted) {
    observed.insert(observed.begin(), ours("id" + std::to_string(observed.size()), one));
  }
  EXPECT_THAT(planned(wanted, observed), ElementsAre());
}

TEST(CloudflarePlan, LetsARecordKeepItsIdWhenItsContentOrTtlChanges) {
  EXPECT_THAT(planned({record("a.example", dns::type_a, "192.0.2.2"), record("a.example", dns::type_a, "192.0.2.3")},
                      {ours("1", record("a.example", dns::type_a, "192.0.2.1")),
                       ours("2", record("a.example", dns::type_a, "192.0.2.2"))}),
              ElementsAre("~1 192.0.2.3 300"));
  EXPECT_THAT(planned({record("a.example", dns::type_a, "192.0.2.1", 600)},
                      {ours("1", record("a.example", dns::type_a, "192.0.2.1"))}),
              ElementsAre("~1 192.0.2.1 600"));
}

TEST(CloudflarePlan, DeletesOnlyWhatCarriesTheMark) {
  Record other_instance = ours("3", record("c.example", dns::type_a, "192.0.2.3"));
  other_instance.comment = "navigator:test2";
  Record annotated = ours("4", record("d.example", dns::type_a, "192.0.2.4"));
  annotated.comment += " (do not touch)";
  EXPECT_THAT(planned({}, {ours("1", record("a.example", dns::type_a, "192.0.2.1")),
                           foreign("2", record("b.example", dns::type_a, "192.0.2.2")), other_instance, annotated}),
              ElementsAre("-1", "-4"));
}

TEST(CloudflarePlan, DeletesBeforeItPostsWhenTheTypeChanges) {
  Plan const changes = plan({record("a.example", dns::type_cname, "b.example.")},
                            {ours("1", record("a.example", dns::type_a, "192.0.2.1"))}, mark);
  ASSERT_EQ(changes.names.size(), 1U) << "in one transaction";
  EXPECT_THAT(shown(changes), ElementsAre("-1", "+a.example. CNAME b.example."));
}

TEST(CloudflarePlan, LeavesProxiedRecordsProxied) {
  Record proxied = ours("1", record("a.example", dns::type_a, "192.0.2.1", 1));
  proxied.proxied = true;
  EXPECT_THAT(planned({record("a.example", dns::type_a, "192.0.2.1")}, {proxied}), ElementsAre());
}

TEST(CloudflarePlan, KeepsToTheTtlsCloudflareTakes) {
  EXPECT_THAT(planned({record("a.example", dns::type_a, "192.0.2.1", 5)},
                      {ours("1", record("a.example", dns::type_a, "192.0.2.1", 60))}),
              ElementsAre());
  EXPECT_EQ(accepted_ttl(1000000), 86400U);
}

TEST(CloudflarePlan, ReportsForeignRecordsThatStandInTheWay) {
  struct Case {
    Record wanted;
    Record there;
    bool blocked;
  };
  for (Case const& row : std::vector<Case>{
           {record("a.example", dns::type_a, "192.0.2.1"), record("a.example", dns::type_a, "192.0.2.9"), true},
           {record("a.example", dns::type_a, "192.0.2.1"), record("a.example", dns::type_cname, "b.example."), true},
           {record("a.example", dns::type_cname, "b.example."), record("a.example", dns::type_txt, "\"x\""), true},
           {record("a.example", dns::type_a, "192.0.2.1"), record("a.example", dns::type_ns, "ns.example."), true},
           {record("a.example", dns::type_txt, "\"x\""), record("a.example", dns::type_txt, "\"y\""), false},
           {record("a.example", dns::type_a, "192.0.2.1"), record("a.example", dns::type_aaaa, "2001:db8::1"), false},
           {record("a.example", dns::type_a, "192.0.2.1"), record("b.example", dns::type_a, "192.0.2.9"), false}}) {
    Plan const changes = plan({row.wanted}, {foreign("1", row.there)}, mark);
    EXPECT_EQ(changes.empty(), row.blocked) << row.wanted.content << " beside " << row.there.content;
    EXPECT_EQ(changes.obstacles.size(), row.blocked ? 1U : 0U);
    for (std::string const& line : shown(changes)) {
      EXPECT_THAT(line, HasSubstr("+")) << "nothing foreign is touched";
    }
  }
}

TEST(CloudflarePlan, RemovesOurRecordWhenAForeignOneTookItsPlace) {
  Plan const changes = plan({record("a.example", dns::type_a, "192.0.2.1")},
                            {ours("1", record("a.example", dns::type_a, "192.0.2.1")),
                             foreign("2", record("a.example", dns::type_a, "192.0.2.9"))},
                            mark);
  EXPECT_THAT(shown(changes), ElementsAre("-1"));
  EXPECT_EQ(changes.obstacles.size(), 1U);
}

TEST(CloudflarePlan, IsContentWithAForeignTextThatSaysTheSame) {
  EXPECT_THAT(planned({record("a.example", dns::type_txt, "\"x\"")},
                      {foreign("1", record("a.example", dns::type_txt, "\"x\""))}),
              ElementsAre());
}

TEST(CloudflarePlan, ComparesTextsByWhatTheySay) {
  EXPECT_THAT(planned({record("a.example", dns::type_txt, "\"ab\" \"cd\"")},
                      {ours("1", record("a.example", dns::type_txt, "\"abcd\""))}),
              ElementsAre());
}

Batch batch_of(std::size_t deletes, std::size_t patches, std::size_t posts) {
  Batch out;
  out.deletes.assign(deletes, "d");
  out.patches.assign(patches, Record());
  out.posts.assign(posts, Record());
  return out;
}

TEST(CloudflarePlan, PacksNamesIntoFewBatchesWithoutCuttingThem) {
  auto const packed = pack({batch_of(1, 1, 0), batch_of(0, 0, 2), batch_of(0, 0, 1), batch_of(2, 3, 4)}, 4);
  std::vector<std::size_t> sizes;
  for (Batch const& batch : packed) {
    sizes.push_back(batch.size());
  }
  EXPECT_THAT(sizes, ElementsAre(4U, 1U, 4U, 4U, 1U));
  EXPECT_EQ(packed[2].deletes.size(), 2U);
  EXPECT_EQ(packed[2].patches.size(), 2U);
  EXPECT_TRUE(pack({}, 4).empty());
}

TEST(CloudflarePlan, HalvesKeepTheOrderOfOperations) {
  auto const [first, second] = halves(batch_of(2, 1, 2));
  EXPECT_EQ(first.deletes.size(), 2U);
  EXPECT_EQ(first.patches.size(), 1U);
  EXPECT_EQ(second.posts.size(), 2U);
  EXPECT_EQ(halves(batch_of(1, 0, 0)).second.size(), 0U);
}

// What Cloudflare would have after the plan.
std::vector<Record> applied(std::vector<Record> state, Plan const& changes, int& next_id) {
  for (Batch const& batch : changes.names) {
    for (std::string const& id : batch.deletes) {
      EXPECT_EQ(std::erase_if(state, [&](Record const& one) { return one.id == id; }), 1U);
    }
    for (Record const& patch : batch.patches) {
      auto const found =
          std::find_if(state.begin(), state.end(), [&](Record const& one) { return one.id == patch.id; });
      EXPECT_NE(found, state.end());
      *found = patch;
    }
    for (Record post : batch.posts) {
      post.id = std::to_string(++next_id);
      state.push_back(post);
    }
  }
  return state;
}

TEST(CloudflarePlan, ConvergesInOneStepAndLeavesForeignRecordsAlone) {
  std::mt19937 random(7);
  auto const pick = [&random](unsigned limit) { return static_cast<unsigned>(random() % limit); };
  auto const any = [&] {
    std::string const owner = std::string(1, static_cast<char>('a' + pick(4))) + ".example";
    std::string const number = std::to_string(pick(4) + 1);
    switch (pick(4)) {
      case 0:
        return record(owner, dns::type_cname, "t" + number + ".example.");
      case 1:
        return record(owner, dns::type_txt, "\"" + number + "\"");
      default:
        return record(owner, dns::type_a, "192.0.2." + number, 60 * (1 + pick(3)));
    }
  };
  int next_id = 0;
  for (int round = 0; round < 500; ++round) {
    std::vector<Record> state;
    for (unsigned i = pick(8); i > 0; --i) {
      state.push_back(pick(2) == 0 ? ours(std::to_string(++next_id), any())
                                   : foreign(std::to_string(++next_id), any()));
    }
    std::vector<Record> wanted;
    for (unsigned i = pick(8); i > 0; --i) {
      Record const one = any();
      bool const twice = std::any_of(wanted.begin(), wanted.end(), [&](Record const& other) {
        return other.name == one.name && other.type == one.type && other.content == one.content;
      });
      if (!twice) {
        wanted.push_back(one);
      }
    }
    auto const after = applied(state, plan(wanted, state, mark), next_id);
    EXPECT_TRUE(plan(wanted, after, mark).empty()) << "round " << round;
    for (Record const& before : state) {
      EXPECT_TRUE(is_ours(before, mark) || std::count(after.begin(), after.end(), before) == 1) << "round " << round;
    }
  }
}

}  // namespace
}  // namespace cloudflare
