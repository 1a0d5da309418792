#include "mesh/bounded_logs/bounded_logs.hpp"

#include "base/process/service.hpp"

#include "tests/support/temporary_folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <filesystem>

namespace {

class BoundedLogsTest : public testing::Test {
 protected:
  void write(std::string const& name, std::string const& text) {
    ASSERT_TRUE(process::write_file_atomically(folder_.file(name), text, 0644));
  }
  std::string text(std::string const& name) {
    auto const read = process::read_file(folder_.file(name));
    return read ? *read : "none";
  }

  test::TemporaryFolder folder_;
};

TEST_F(BoundedLogsTest, AFullLogIsEmptiedUnderWhoHasItOpenAndItsEndIsKept) {
  int const writer = ::open(folder_.file("wg-x.log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  ASSERT_GE(writer, 0);
  auto const say = [&](std::string const& line) {
    ASSERT_EQ(::write(writer, line.data(), line.size()), static_cast<ssize_t>(line.size()));
  };
  say("first line\n");
  say("second line\n");
  EXPECT_EQ(bounded_logs::bound(folder_.path(), 100).value(), 0U);
  EXPECT_EQ(text("wg-x.log"), "first line\nsecond line\n");
  EXPECT_EQ(bounded_logs::bound(folder_.path(), 12).value(), 1U);
  EXPECT_EQ(text("wg-x.log.old"), "second line\n");
  EXPECT_EQ(text("wg-x.log"), "");
  say("third line\n");
  EXPECT_EQ(text("wg-x.log"), "third line\n") << "no hole where the former lines were";
  ::close(writer);
}

TEST_F(BoundedLogsTest, OtherFilesAreLeftAlone) {
  write("secret.key", "a text that is long enough");
  write("wg-x.log.old", "a text that is long enough");
  std::filesystem::create_symlink(folder_.file("secret.key"), folder_.file("link.log"));
  std::filesystem::create_directory(folder_.file("folder.log"));
  EXPECT_EQ(bounded_logs::bound(folder_.path(), 5).value(), 0U);
  EXPECT_EQ(text("secret.key"), "a text that is long enough");
  EXPECT_EQ(text("wg-x.log.old"), "a text that is long enough");
}

TEST_F(BoundedLogsTest, AFolderThatIsNotThereIsAFailure) {
  EXPECT_FALSE(bounded_logs::bound(folder_.file("none"), 5));
}

}  // namespace
