#include "mesh/guard/rules.hpp"

#include "base/process/service.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace guard {
namespace {

// A program in place of nft: `list` prints the file "table" and fails without it, `-f` copies the text there and notes
// that it did.
struct FakeNft {
  test::TemporaryFolder folder;
  boost::asio::io_context io;

  FakeNft() {
    auto const script = "#!/bin/sh\ncd " + folder.path() +
                        "\ncase \"$*\" in\n"
                        "*list*) cat table 2>/dev/null ;;\n"
                        "*) grep -q nonsense \"$2\" && { echo 'line 1: syntax error'; exit 1; }\n"
                        "   echo write >> writes; sed s/text/listed/ \"$2\" > table ;;\nesac\n";
    EXPECT_TRUE(process::write_file_atomically(program(), script, 0755));
  }
  [[nodiscard]] std::string program() const { return folder.path() + "/nft"; }
  [[nodiscard]] std::string file(char const* name) const {
    auto const text = process::read_file(folder.path() + "/" + name);
    return text ? *text : std::string();
  }
  base::Result<bool> converge(Rules& rules, std::string text) {
    return test::run_task(io, rules.converge(std::move(text)));
  }
};

TEST(Rules, AreWrittenOnceAndAgainAfterDamage) {
  FakeNft nft;
  Rules rules({nft.program()}, nft.folder.path());
  EXPECT_TRUE(nft.converge(rules, "text 1\n").value());
  EXPECT_FALSE(nft.converge(rules, "text 1\n").value());
  EXPECT_EQ(nft.file("table"), "listed 1\n");
  EXPECT_TRUE(nft.converge(rules, "text 2\n").value());
  EXPECT_EQ(nft.file("writes"), "write\nwrite\n");

  // Another process, which has seen nothing itself, as after a restart of the agent.
  Rules after({nft.program()}, nft.folder.path());
  EXPECT_FALSE(nft.converge(after, "text 2\n").value());
  Rules later({nft.program()}, nft.folder.path());
  ASSERT_TRUE(process::write_file_atomically(nft.folder.path() + "/table", "listed 2\nand more\n", 0644));
  EXPECT_TRUE(nft.converge(later, "text 2\n").value());
  EXPECT_EQ(nft.file("table"), "listed 2\n");
}

TEST(Rules, ThatNftRefusesAreAFailureWithItsSentence) {
  FakeNft nft;
  Rules rules({nft.program()}, nft.folder.path());
  auto const refused = nft.converge(rules, "nonsense\n");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::rules);
  EXPECT_NE(refused.error().what().find("syntax error"), std::string::npos) << refused.error().what();
  Rules none({"/nowhere/nft"}, nft.folder.path());
  EXPECT_EQ(nft.converge(none, "text\n").error().code, errc::rules);
}

std::string sets(std::string const& links, std::string const& neighbours) {
  auto const one = [](std::string const& name, std::string const& elements) {
    return "  set " + name + " {\n    type x\n" + (elements.empty() ? "" : "    elements = { " + elements + " }\n") +
           "  }\n";
  };
  return "table inet privateer {\n" + one("links", links) + one("neighbours4", neighbours) +
         one("mesh4", "10.0.0.0/8") + "  chain c {\n  }\n}\n";
}

TEST(Rules, KeepADeviceThatIsAboutToGoInTheSetsOfDevices) {
  auto const before = sets("\"wg-a\",\n      \"wg-old\"", "\"wg-a\" . 10.0.0.1,\n      \"wg-old\" . 10.0.0.2");
  auto const now = sets("\"wg-a\",\n      \"wg-new\"", "\"wg-a\" . 10.0.0.1");
  EXPECT_EQ(with_departing(now, before, {"wg-old"}), sets("\"wg-a\",\n      \"wg-new\",\n      \"wg-old\"",
                                                          "\"wg-a\" . 10.0.0.1,\n      \"wg-old\" . 10.0.0.2"));
  EXPECT_EQ(with_departing(now, before, {"wg-other"}), now);
  EXPECT_EQ(with_departing(sets("", ""), before, {"wg-old"}), sets("\"wg-old\"", "\"wg-old\" . 10.0.0.2"));
  EXPECT_EQ(with_departing(now, "", {"wg-old"}), now);
  EXPECT_EQ(with_departing("nonsense", before, {"wg-old"}), "nonsense");
}

TEST(Rules, LeaveOutADeviceWhoseNameSomebodyElseHas) {
  auto const now = sets("\"wg-a\",\n      \"wg-b\"", "\"wg-b\" . 10.0.0.1");
  EXPECT_EQ(without_devices(now, {"wg-b"}), sets("\"wg-a\"", ""));
  EXPECT_EQ(without_devices(now, {"wg-other"}), now);
  EXPECT_EQ(without_devices(sets("", ""), {"wg-b"}), sets("", ""));
}

TEST(Rules, ThatDifferInDevicesAloneAreChangedInPlace) {
  auto const before = "# ports 1, 2\n" + sets("\"wg-a\",\n      \"wg-b\"", "\"wg-a\" . 10.0.0.1");
  auto const now = "# ports 1\n" + sets("\"wg-a\",\n      \"wg-c\"", "");
  EXPECT_EQ(in_place(before, now),
            "add element inet privateer links { \"wg-c\" }\ndelete element inet privateer links { \"wg-b\" }\n"
            "delete element inet privateer neighbours4 { \"wg-a\" . 10.0.0.1 }\n");
  EXPECT_EQ(in_place(before, before), "");
  auto other = now;
  other.replace(other.find("10.0.0.0/8"), 10, "10.0.0.0/9");
  EXPECT_EQ(in_place(before, other), std::nullopt) << "something else differs too";
}

TEST(Rules, TheTextInUseIsKnownAfterAStart) {
  FakeNft nft;
  auto const before = sets("\"wg-a\",\n      \"wg-old\"", "");
  auto const now = sets("\"wg-a\"", "");
  Rules rules({nft.program()}, nft.folder.path());
  EXPECT_EQ(rules.in_use(), "");
  EXPECT_TRUE(nft.converge(rules, before).value());
  Rules second({nft.program()}, nft.folder.path());
  EXPECT_EQ(second.in_use(), before);
  EXPECT_TRUE(nft.converge(second, now).value());
  EXPECT_EQ(nft.file("rules.nft.change"), "delete element inet privateer links { \"wg-old\" }\n");
  EXPECT_EQ(nft.file("rules.nft"), now) << "the whole text, also after a change in place";
  Rules third({nft.program()}, nft.folder.path());
  EXPECT_EQ(third.in_use(), now);
  EXPECT_FALSE(nft.converge(third, now).value());
  ASSERT_TRUE(process::write_file_atomically(nft.folder.path() + "/rules.nft", "edited", 0644));
  EXPECT_EQ(Rules({nft.program()}, nft.folder.path()).in_use(), "") << "it does not belong to the marker";
}

TEST(Rules, AProgramIsInstalledWhenItCanBeStarted) {
  EXPECT_TRUE(is_installed("sh"));
  EXPECT_TRUE(is_installed("/bin/sh"));
  EXPECT_FALSE(is_installed("no-such-program-anywhere"));
  EXPECT_FALSE(is_installed("/etc/passwd"));
}

}  // namespace
}  // namespace guard
