#include "acme/upload/upload.hpp"

#include "tests/support/made_certificate.hpp"

#include <gmock/gmock.h>

namespace upload {
namespace {

using test::MadeCertificate;
using test::MadeKey;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

class LookThrough : public testing::Test {
 protected:
  // "field: message" of each problem; empty when there is none.
  std::vector<std::string> problems(std::string chain_pem, std::string key_pem) {
    auto const checked = look_through({std::move(chain_pem), std::move(key_pem)}, ground);
    std::vector<std::string> out;
    if (!checked) {
      for (base::Problem const& problem : checked.error()) {
        EXPECT_FALSE(problem.hint.empty()) << problem.message;
        out.push_back(problem.path + ": " + problem.message);
      }
    }
    return out;
  }
  std::vector<std::string> problems(MadeCertificate const& leaf) { return problems(chain.pem(leaf), leaf.key.pem()); }

  test::MadeChain chain;
  Ground ground{{"www.customer.example"}, {"www.customer.example", "customer.example"}, crypto::wall_now()};
};

TEST_F(LookThrough, AGoodOneIsTakenInOneSpelling) {
  for (MadeKey const& key : {MadeKey::ec(), MadeKey::ec("P-384"), MadeKey::rsa(2048)}) {
    auto const leaf = chain.leaf({.names = {"www.customer.example"}, .usage = "serverAuth,clientAuth"}, key);
    auto const checked =
        look_through({"subject=a comment\n" + chain.pem(leaf) + "\nthe end\n", leaf.key.pem()}, ground);
    ASSERT_TRUE(checked) << base::text(checked.error());
    EXPECT_THAT(checked->certificate.names, ElementsAre("www.customer.example"));
    EXPECT_EQ(checked->chain_pem, chain.pem(leaf)) << "comments would end up in files of the edges";
    EXPECT_EQ(checked->key_pem, leaf.key.pem());
  }
  EXPECT_THAT(problems(chain.leaf({.names = {"*.customer.example", "customer.example"}})), SizeIs(0))
      << "by its wildcard";
}

TEST_F(LookThrough, ItNamesWhatItIsServedForAndNothingThatIsSomebodyElses) {
  EXPECT_THAT(problems(chain.leaf({.names = {"customer.example"}})),
              ElementsAre("chain_pem: the certificate does not name 'www.customer.example'"));
  EXPECT_THAT(problems(chain.leaf({.names = {"www.customer.example", "bank.example", "*.example"}})),
              ElementsAre(HasSubstr("'*.example', which is none"), HasSubstr("'bank.example', which is none")));
  ground.names = {"*.a.stream.example", "a.stream.example"};
  ground.owned = {"a.stream.example"};
  EXPECT_THAT(problems(chain.leaf({.names = {"a.stream.example"}})), SizeIs(1));
  EXPECT_THAT(problems(chain.leaf({.names = {"a.stream.example", "*.a.stream.example"}})), SizeIs(0));
}

TEST_F(LookThrough, TheChainBuildsInOrder) {
  auto const leaf = chain.leaf({.names = {"www.customer.example"}});
  EXPECT_THAT(problems(chain.intermediate.pem() + leaf.pem(), leaf.key.pem()), Contains(HasSubstr("a CA's")));
  EXPECT_THAT(problems(leaf.pem() + chain.root.pem(), leaf.key.pem()),
              ElementsAre(HasSubstr("that signed the leaf is missing")));
  EXPECT_THAT(problems(leaf.pem() + chain.root.pem() + chain.intermediate.pem(), leaf.key.pem()),
              ElementsAre(HasSubstr("the leaf is not signed by the one after it, but by another one")));
  EXPECT_THAT(problems(leaf.pem(), leaf.key.pem()), ElementsAre(HasSubstr("that signed the leaf is missing")));
  EXPECT_THAT(problems(chain.pem(leaf) + chain.root.pem(), leaf.key.pem()), SizeIs(0));
  EXPECT_THAT(problems(chain.leaf({.names = {"www.customer.example"}, .usage = "clientAuth"})),
              ElementsAre(HasSubstr("not for servers")));
}

TEST_F(LookThrough, WhatSignedItselfIsRefusedWithOneProblem) {
  for (bool const ca : {false, true}) {
    auto const own = MadeCertificate::make({.names = {"www.customer.example"}, .ca = ca}, MadeKey::ec());
    EXPECT_THAT(problems(own.pem(), own.key.pem()), ElementsAre(HasSubstr("is signed by itself"))) << ca;
  }
  auto const own = MadeCertificate::make({.names = {"www.customer.example"}}, MadeKey::ec());
  EXPECT_THAT(problems(own.pem() + chain.root.pem(), own.key.pem()), ElementsAre(HasSubstr("is signed by itself")));
}

TEST_F(LookThrough, WeakKeysAndDigestsAreRefused) {
  EXPECT_THAT(problems(chain.leaf({.names = {"www.customer.example"}}, MadeKey::rsa(1024))),
              ElementsAre(HasSubstr("the leaf has an RSA key of 1024 bits")));
  EXPECT_THAT(problems(chain.leaf({.names = {"www.customer.example"}}, MadeKey::ec("secp256k1"))),
              ElementsAre(HasSubstr("curve 'secp256k1'")));
  EXPECT_THAT(problems(chain.leaf({.names = {"www.customer.example"}, .digest = EVP_sha1()})),
              ElementsAre(HasSubstr("signed with SHA1")));
}

TEST_F(LookThrough, ItIsValidNowAndForAWhile) {
  EXPECT_THAT(problems(chain.leaf({.names = {"www.customer.example"}, .from_s = 7200})),
              ElementsAre(HasSubstr("not valid yet")));
  EXPECT_THAT(problems(chain.leaf({.names = {"www.customer.example"}, .to_s = -60})),
              ElementsAre(HasSubstr("has expired")));
  EXPECT_THAT(problems(chain.leaf({.names = {"www.customer.example"}, .to_s = 3600})),
              ElementsAre(HasSubstr("less than a day")));
}

TEST_F(LookThrough, AllProblemsComeAtOnceAndNoneShowsTheKey) {
  auto const leaf = chain.leaf({.names = {"bank.example"}, .to_s = -60}, MadeKey::rsa(1024));
  std::string const secret = MadeKey::ec().pem();
  auto const found = problems(leaf.pem(), secret);
  EXPECT_THAT(found, SizeIs(6)) << testing::PrintToString(found);
  EXPECT_THAT(found, Contains("key_pem: does not fit the leaf certificate"));
  for (std::string const& one : found) {
    EXPECT_THAT(one, Not(HasSubstr(secret.substr(40, 20))));
  }
}

TEST_F(LookThrough, AnEncryptedKeyIsToldApartFromNone) {
  auto const leaf = chain.leaf({.names = {"www.customer.example"}});
  EXPECT_THAT(problems(chain.pem(leaf), leaf.key.pem("secret")), ElementsAre("key_pem: is encrypted"));
  EXPECT_THAT(problems(chain.pem(leaf), "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"),
              ElementsAre("key_pem: is encrypted"));
  EXPECT_THAT(problems(chain.pem(leaf), ""), ElementsAre("key_pem: holds no private key"));
  EXPECT_THAT(problems(chain.pem(leaf), leaf.key.pem() + leaf.key.pem()), ElementsAre(HasSubstr("more than one key")));
  EXPECT_THAT(problems(chain.pem(leaf) + leaf.key.pem(), leaf.key.pem()),
              ElementsAre(AllOf(HasSubstr("chain_pem"), HasSubstr("a private key"))));
}

TEST_F(LookThrough, BoundsHoldAgainstPemBombs) {
  auto const leaf = chain.leaf({.names = {"www.customer.example"}});
  std::string many;
  for (int i = 0; i < 11; ++i) {
    many += leaf.pem();
  }
  EXPECT_THAT(problems(many, leaf.key.pem()), ElementsAre(HasSubstr("more than 10 certificates")));
  EXPECT_THAT(problems(std::string(300U << 10U, 'a'), leaf.key.pem()), ElementsAre(HasSubstr("larger than 256 KiB")));
  EXPECT_THAT(problems(chain.pem(leaf), std::string(20U << 10U, 'a')), ElementsAre(HasSubstr("larger than 16 KiB")));
  std::string damaged = chain.pem(leaf);
  damaged[damaged.size() - 100] = '!';
  EXPECT_THAT(problems(damaged, leaf.key.pem()), ElementsAre(HasSubstr("damaged after certificate 1")));
  EXPECT_THAT(problems("nonsense", "nonsense"), SizeIs(2));
  std::vector<std::string> names{"www.customer.example"};
  for (int i = 0; i < 200; ++i) {
    names.push_back("n" + std::to_string(i) + ".customer.example");
  }
  EXPECT_THAT(problems(chain.leaf({.names = names})), ElementsAre(HasSubstr("more than 100 names")));
}

}  // namespace
}  // namespace upload
