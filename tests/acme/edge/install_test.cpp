#include "acme/edge/install.hpp"
#include "acme/edge/nginx.hpp"
#include "acme/edge/web_server.hpp"

#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace edge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

BundleItem item(std::string const& id, char digest = 'a', std::int64_t sequence = 1) {
  return {id, "label-" + id, {"*." + id + ".example", id + ".example"}, std::string(64, digest), sequence};
}
Bundle bundle(BundleItem const& of) {
  return {of, "-----BEGIN CERTIFICATE-----\n", "-----BEGIN PRIVATE KEY-----\n"};
}

unsigned mode_of(std::string const& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
}

class InstallTest : public testing::Test {
 protected:
  void install(BundleItem const& of) {
    ASSERT_TRUE(installation.stage(bundle(of)));
    ASSERT_TRUE(installation.make_live(of.id, of.fingerprint));
  }
  test::TemporaryFolder folder;
  std::string const directory = folder.file("bundles");
  Installation const installation{directory};
};

TEST_F(InstallTest, AnEmptyDirectoryHasNoBundles) {
  EXPECT_THAT(installation.observe().value(), IsEmpty());
}

TEST_F(InstallTest, WhatIsMadeLiveIsObserved) {
  install(item("t2"));
  install(item("t1"));
  EXPECT_THAT(installation.observe().value(), ElementsAre(item("t1"), item("t2")));
}

TEST_F(InstallTest, TheKeyIsForItsOwnerAlone) {
  install(item("t1"));
  EXPECT_EQ(mode_of(directory + "/t1/live/privkey.pem"), 0600U);
  EXPECT_EQ(mode_of(directory + "/t1/live/fullchain.pem"), 0644U);
}

TEST_F(InstallTest, AStagedVersionChangesNothingUntilItIsMadeLive) {
  install(item("t1", 'a'));
  ASSERT_TRUE(installation.stage(bundle(item("t1", 'b', 2))));
  EXPECT_THAT(installation.observe().value(), ElementsAre(item("t1", 'a')));
  ASSERT_TRUE(installation.make_live("t1", std::string(64, 'b')));
  EXPECT_THAT(installation.observe().value(), ElementsAre(item("t1", 'b', 2)));
  // ... and back.
  ASSERT_TRUE(installation.make_live("t1", std::string(64, 'a')));
  EXPECT_THAT(installation.observe().value(), ElementsAre(item("t1", 'a')));
}

TEST_F(InstallTest, AVersionWhoseWritingWasInterruptedIsNotObserved) {
  install(item("t1"));
  std::filesystem::remove(directory + "/t1/live/bundle.json");
  EXPECT_THAT(installation.observe().value(), IsEmpty());
  install(item("t1"));
  std::filesystem::remove(directory + "/t1/live/privkey.pem");
  EXPECT_THAT(installation.observe().value(), IsEmpty());
}

TEST_F(InstallTest, ALeftOverHalfMadeLinkIsReplaced) {
  install(item("t1"));
  std::filesystem::create_symlink("junk", directory + "/t1/live.new");
  EXPECT_TRUE(installation.make_live("t1", std::string(64, 'a')));
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::symlink_status(directory + "/t1/live.new")));
}

TEST_F(InstallTest, ALinkToSomewhereElseIsNotAVersion) {
  install(item("t1"));
  std::filesystem::remove(directory + "/t1/live");
  std::filesystem::create_symlink("../../../etc", directory + "/t1/live");
  EXPECT_FALSE(installation.live("t1").has_value());
  EXPECT_THAT(installation.observe().value(), IsEmpty());
}

TEST_F(InstallTest, PruningKeepsTheLiveVersionOnly) {
  install(item("t1", 'a'));
  install(item("t1", 'b'));
  ASSERT_TRUE(installation.prune("t1"));
  EXPECT_FALSE(std::filesystem::exists(directory + "/t1/" + std::string(64, 'a')));
  EXPECT_THAT(installation.observe().value(), ElementsAre(item("t1", 'b')));
}

TEST_F(InstallTest, RemovalLeavesNothingAndCanBeRepeated) {
  install(item("t1"));
  ASSERT_TRUE(installation.remove("t1"));
  EXPECT_FALSE(std::filesystem::exists(directory + "/t1"));
  EXPECT_TRUE(installation.remove("t1"));
}

TEST_F(InstallTest, TheDirectoryMayHoldOtherThings) {
  install(item("t1"));
  std::filesystem::create_directory(directory + "/lost+found");
  std::ofstream(directory + "/README") << "hello";
  EXPECT_THAT(installation.observe().value(), ElementsAre(item("t1")));
}

TEST_F(InstallTest, EveryFolderOfABundleIsKnownWhateverIsInIt) {
  install(item("tenant-7"));
  ASSERT_TRUE(installation.stage(bundle(item("tenant-8-11"))));
  std::filesystem::create_directory(directory + "/tenant-9");
  std::filesystem::create_directory(directory + "/tenant-pages");
  std::filesystem::create_directory(directory + "/tenant-");
  std::ofstream(directory + "/tenant-10") << "a file";
  std::filesystem::create_directory_symlink("/etc", directory + "/tenant-11");
  EXPECT_THAT(installation.folders().value(), ElementsAre("tenant-7", "tenant-8-11", "tenant-9"));
}

TEST(Difference, FetchesWhatDiffersAndRemovesWhatIsGone) {
  Difference const result = difference({item("same"), item("renewed", 'b', 2), item("fresh")},
                                       {item("same"), item("renewed", 'a', 1), item("gone")});
  EXPECT_THAT(result.fetch, ElementsAre(item("renewed", 'b', 2), item("fresh")));
  EXPECT_THAT(result.remove, ElementsAre("gone"));
  EXPECT_EQ(difference({item("same")}, {item("same")}), Difference{});
}

TEST(Nginx, RendersOneServerABundleSortedById) {
  NginxSettings settings;
  settings.directory = "/var/lib/privateer/bundles";
  settings.tenant_include = "/etc/privateer/tenants/{tenant}*.conf";
  settings.names_hash_bucket = 128;
  EXPECT_EQ(render_nginx({item("t2"), item("t1")}, settings),
            R"(# Written by privateer from Navigator's bundles; changes are overwritten.
server_names_hash_bucket_size 128;

# t1
server {
  listen 443 ssl;
  listen [::]:443 ssl;
  server_name *.t1.example t1.example;
  ssl_certificate "/var/lib/privateer/bundles/t1/live/fullchain.pem";
  ssl_certificate_key "/var/lib/privateer/bundles/t1/live/privkey.pem";
  include "/etc/privateer/tenants/label-t1*.conf";
}

# t2
server {
  listen 443 ssl;
  listen [::]:443 ssl;
  server_name *.t2.example t2.example;
  ssl_certificate "/var/lib/privateer/bundles/t2/live/fullchain.pem";
  ssl_certificate_key "/var/lib/privateer/bundles/t2/live/privkey.pem";
  include "/etc/privateer/tenants/label-t2*.conf";
}
)");
}

TEST(Nginx, ListensWhereItIsToldAndIncludesNothingUnasked) {
  NginxSettings settings;
  settings.listen = {"10.10.0.5:8443"};
  settings.names_hash_bucket = 0;
  std::string const text = render_nginx({item("t1")}, settings);
  EXPECT_THAT(text, HasSubstr("listen 10.10.0.5:8443 ssl;"));
  EXPECT_THAT(text, Not(HasSubstr("[::]")));
  EXPECT_THAT(text, Not(HasSubstr("include")));
  EXPECT_THAT(text, Not(HasSubstr("hash_bucket")));
}

TEST(EachNameOnce, StaysWithWhoIsNotLeavingThenWithTheNewerSequence) {
  auto const named = [](std::string const& id, std::vector<std::string> names, std::int64_t sequence, bool leaving) {
    BundleItem one = item(id, 'a', sequence);
    one.names = std::move(names);
    one.leaving = leaving;
    return one;
  };
  auto const once =
      each_name_once({named("t1", {"a.example", "b.example"}, 9, true), named("t2", {"a.example"}, 3, false),
                      named("t3", {"a.example"}, 2, false), named("t4", {"c.example"}, 1, true)});
  std::vector<std::string> said;
  for (BundleItem const& one : once) {
    said.push_back(one.id + " " + one.names.at(0) + " " + std::to_string(one.names.size()));
  }
  EXPECT_THAT(said, ElementsAre("t1 b.example 1", "t2 a.example 1", "t4 c.example 1"));
}

TEST(Includes, NoHostNameIsThereTwice) {
  BundleItem former = item("t1", 'a', 1);
  former.id = "t1-11";
  former.leaving = true;
  for (std::string const& text : {render_caddy({former, item("t1")}, "/b"), render_haproxy({former, item("t1")}, "/b"),
                                  render_nginx({former, item("t1")}, {})}) {
    EXPECT_EQ(text.find("*.t1.example"), text.rfind("*.t1.example")) << text;
    EXPECT_THAT(text, Not(HasSubstr("t1-11")));
  }
}

TEST(HaproxyList, OneLineABundleWithItsNames) {
  EXPECT_EQ(render_haproxy({item("t2"), item("t1")}, "/var/lib/bundles"),
            R"(# Written by privateer from Navigator's bundles; changes are overwritten.
/var/lib/bundles/t1/live/haproxy.pem *.t1.example t1.example
/var/lib/bundles/t2/live/haproxy.pem *.t2.example t2.example
)");
}

TEST(CaddyImport, NamesFilesByFingerprintSoThatARenewalChangesIt) {
  std::string const text = render_caddy({item("t1", 'a')}, "/var/lib/bundles");
  std::string const version = "/var/lib/bundles/t1/" + std::string(64, 'a');
  EXPECT_EQ(text,
            "# Written by privateer from Navigator's bundles; changes are overwritten.\n\n# t1\n"
            "*.t1.example, t1.example {\n\ttls \"" +
                version + "/fullchain.pem\" \"" + version + "/privkey.pem\"\n\timport tenant label-t1 t1\n}\n");
  EXPECT_NE(render_caddy({item("t1", 'b')}, "/var/lib/bundles"), text);
}

TEST_F(InstallTest, AGroupMayReadTheKeysWhenToldAndHaproxysFileHoldsBoth) {
  group const* const own = getgrgid(getgid());
  ASSERT_NE(own, nullptr);
  install(item("t1"));
  Installation const combined(directory, {true, own->gr_name});
  // What was made without the second file is made again.
  EXPECT_THAT(combined.observe().value(), IsEmpty());
  ASSERT_TRUE(combined.stage(bundle(item("t1"))));
  EXPECT_THAT(combined.observe().value(), ElementsAre(item("t1")));
  EXPECT_EQ(mode_of(directory + "/t1/live/privkey.pem"), 0640U);
  EXPECT_EQ(mode_of(directory + "/t1/live/haproxy.pem"), 0640U);
  auto const unknown = Installation(directory, {false, "no-such-group"}).stage(bundle(item("t1")));
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().what(), HasSubstr("no group 'no-such-group'"));
}

}  // namespace
}  // namespace edge
