#include "acme/subjects/names.hpp"

#include <gtest/gtest.h>

namespace acme {
namespace {

domains::WantedCertificate wanted(std::string label, std::vector<std::string> names) {
  domains::WantedCertificate one;
  one.label = std::move(label);
  one.names = std::move(names);
  return one;
}

TEST(Names, FindASubjectByLabelAndEveryNameInAnyCase) {
  Names names;
  names.add(wanted("acme-tv", {"*.acme-tv.example", "acme-tv.example"}), 7);
  names.add(wanted("", {"www.customer.example"}), 8);
  EXPECT_EQ(names.find("ACME-TV"), 7);
  EXPECT_EQ(names.find("acme-tv.Example."), 7);
  EXPECT_EQ(names.find("*.acme-tv.example"), 7);
  EXPECT_EQ(names.find("www.customer.example."), 8);
  EXPECT_EQ(names.find(""), std::nullopt) << "a domain has no label";
}

TEST(Names, WhatAnotherTookOverStaysItsOwn) {
  Names names;
  auto const first = wanted("acme-tv", {"acme-tv.example"});
  names.add(first, 7);
  names.add(wanted("acme-tv", {}), 9);
  names.remove(first, 7);
  EXPECT_EQ(names.find("acme-tv"), 9);
  EXPECT_EQ(names.find("acme-tv.example"), std::nullopt);
}

}  // namespace
}  // namespace acme
