#include "base/process/folders.hpp"

#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>

namespace {

using testing::HasSubstr;

unsigned mode_of(std::string const& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 ? found.st_mode & 07777U : 0U;
}

TEST(Folders, OneMissingFolderIsMadeWithItsMode) {
  test::TemporaryFolder const folder;
  ASSERT_TRUE(process::make_folder_for(folder.file("a/b.sock"), 0755, "the socket"));
  EXPECT_EQ(mode_of(folder.file("a")), 0755U);
  ASSERT_TRUE(process::make_folder_for(folder.file("a/c.sock"), 0700, "the socket")) << "it is there";
  EXPECT_EQ(mode_of(folder.file("a")), 0755U) << "what is there stays as it is";
}

TEST(Folders, WhatCannotBeMadeIsRefusedWithTheCommandThatMendsIt) {
  test::TemporaryFolder const folder;
  auto const deep = process::make_folder_for(folder.file("a/b/c.db"), 0700, "the store");
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().code, boost::system::errc::no_such_file_or_directory);
  EXPECT_THAT(deep.error().what(), HasSubstr("of the store is missing"));
  EXPECT_THAT(deep.error().what(), HasSubstr("install -d -m 0700"));
  ASSERT_TRUE(process::make_private_file(folder.file("file")));
  auto const below = process::make_folder_for(folder.file("file/c.db"), 0700, "the store");
  ASSERT_FALSE(below);
  EXPECT_THAT(below.error().what(), HasSubstr("is no folder"));
}

TEST(Folders, APrivateFileIsItsOwnersAndIsNeverEmptied) {
  test::TemporaryFolder const folder;
  mode_t const before = ::umask(0);
  auto const made = process::make_private_file(folder.file("file"));
  ::umask(before);
  ASSERT_TRUE(made);
  EXPECT_EQ(mode_of(folder.file("file")), 0600U);
  ASSERT_EQ(::chmod(folder.file("file").c_str(), 0640), 0);
  ASSERT_TRUE(process::make_private_file(folder.file("file")));
  EXPECT_EQ(mode_of(folder.file("file")), 0640U);
  EXPECT_FALSE(process::make_private_file(folder.file("none/file")));
}

}  // namespace
