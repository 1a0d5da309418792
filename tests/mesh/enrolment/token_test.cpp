#include "mesh/enrolment/token.hpp"

#include <gtest/gtest.h>

namespace {

TEST(Token, SurvivesItsTextForm) {
  auto const token = enrolment::Token::generate(enrolment::sha256_hex("certificate"), enrolment::sha256_hex("key"));
  auto const back = enrolment::Token::parse(token.text() + "\n");
  ASSERT_TRUE(back);
  EXPECT_EQ(back->id, token.id);
  EXPECT_EQ(back->secret, token.secret);
  EXPECT_EQ(back->controller_sha256, token.controller_sha256);
  EXPECT_EQ(back->world_key, token.world_key);
}

TEST(Token, RefusesWhatIsNotOne) {
  auto const good = enrolment::Token::generate(enrolment::sha256_hex("x"), enrolment::sha256_hex("y")).text();
  for (std::string const& bad :
       {std::string(), std::string("sov2"), good.substr(1), good + ".x", good.substr(0, good.size() - 1),
        "sov1" + good.substr(4), "sov2.." + good.substr(5), good.substr(0, good.rfind('.'))}) {
    EXPECT_FALSE(enrolment::Token::parse(bad)) << bad;
  }
}

TEST(Token, KnowsTheHashOfNothing) {
  EXPECT_EQ(enrolment::sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(ProofOfPossession, IsTheSameFromBothSidesAndBindsEveryPart) {
  auto const node = wireguard::PrivateKey::generate();
  auto const controller = wireguard::PrivateKey::generate();
  auto const mine = enrolment::proof_of_possession(node, wireguard::public_key(controller), "t", "n", "csr").value();
  EXPECT_EQ(enrolment::proof_of_possession(controller, wireguard::public_key(node), "t", "n", "csr").value(), mine);
  EXPECT_NE(enrolment::proof_of_possession(controller, wireguard::public_key(node), "u", "n", "csr").value(), mine);
  EXPECT_NE(enrolment::proof_of_possession(controller, wireguard::public_key(node), "t", "m", "csr").value(), mine);
  EXPECT_NE(enrolment::proof_of_possession(controller, wireguard::public_key(node), "t", "n", "other").value(), mine);
}

}  // namespace
