#include "base/result/category.hpp"

#include <boost/system/error_code.hpp>
#include <gtest/gtest.h>

namespace {

char const* sentence(int code) { return code == 1 ? "the first" : "another"; }

TEST(Category, GivesItsNameAndTheSentenceOfACode) {
  static base::Category const category("sample", sentence);
  EXPECT_STREQ(category.name(), "sample");
  EXPECT_EQ(boost::system::error_code(1, category).message(), "the first");
  EXPECT_EQ(boost::system::error_code(2, category).message(), "another");
}

TEST(Category, TwoCategoriesWithTheSameCodeAreDifferentErrors) {
  static base::Category const one("one", sentence);
  static base::Category const two("two", sentence);
  EXPECT_NE(boost::system::error_code(1, one), boost::system::error_code(1, two));
}

}  // namespace
