#include <gtest/gtest.h>

#include "model/format_test.h"

namespace cc {
namespace {

std::string xml(std::string_view content) {
  return verdict(Format::xml, content);
}

TEST(CheckXml, TakesWellFormedDocuments) {
  EXPECT_EQ(xml("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<!-- 注释 -->\n"
                "<?style sheet?>\n"
                "<b:beans xmlns:b=\"urn:b\" a='1 &lt; 2 > 1'>\n"
                "  <中文 名=\"值\"/>text &amp; &#20013; &#x4e2d;<![CDATA[ <any> & ]] ]]></b:beans >\n"
                "<!-- after -->\n"),
            "accepted");
}

TEST(CheckXml, RefusesTagsThatDoNotMatch) {
  EXPECT_EQ(xml("<a>\n <b>\n</a>"), "line 3, column 1: end tag \"a\" where \"b\" is open (from line 2)");
  EXPECT_EQ(xml("<a>\n <b/>"), "line 1, column 1: element \"a\" is not closed");
  EXPECT_EQ(xml("<a/></a>"), "line 1, column 5: end tag \"a\" closes nothing");
  EXPECT_EQ(xml("<a"), "line 1, column 1: start tag \"a\" is not closed");
  EXPECT_EQ(xml("<a></a"), "line 1, column 7: expected \">\"");
  EXPECT_EQ(xml("<"), "line 1, column 2: expected the name of an element");
  EXPECT_EQ(xml("<a>< b/></a>"), "line 1, column 5: expected the name of an element");
  EXPECT_EQ(xml("<1/>"), "line 1, column 2: expected the name of an element");
}

TEST(CheckXml, WantsOneRootAndNothingBesideIt) {
  EXPECT_EQ(xml("<a/>\n<b/>"), "line 2, column 1: a second root element; a document has one");
  EXPECT_EQ(xml("<a/>\n中"), "line 2, column 1: text outside of the root element");
  EXPECT_EQ(xml("x<a/>"), "line 1, column 1: text outside of the root element");
  EXPECT_EQ(xml("<a/><![CDATA[x]]>"), "line 1, column 5: CDATA outside of the root element");
  EXPECT_EQ(xml("<!-- only -->"), "line 1, column 14: no root element");
}

TEST(CheckXml, RefusesBadAttributes) {
  EXPECT_EQ(xml("<a b='1' c='2' b='3'/>"), "line 1, column 16: duplicate attribute \"b\"");
  EXPECT_EQ(xml("<a b=1/>"), "line 1, column 6: the value of an attribute stands in quotation marks");
  EXPECT_EQ(xml("<a b/>"), "line 1, column 5: attribute \"b\" has no value");
  EXPECT_EQ(xml("<a b='1'c='2'/>"), "line 1, column 9: expected a blank before the attribute");
  EXPECT_EQ(xml("<a b='<'/>"), "line 1, column 7: \"<\" in the value of an attribute; write \"&lt;\"");
  EXPECT_EQ(xml("<a b='1/>"), "line 1, column 6: quotation mark is not closed");
}

TEST(CheckXml, NeverResolvesEntities) {
  const std::string unknown = " is not known; only amp, lt, gt, quot and apos are, and characters by number";
  EXPECT_EQ(xml("<a>&nbsp;</a>"), "line 1, column 4: entity \"nbsp\"" + unknown);
  EXPECT_EQ(xml("<a b='&xxe;'/>"), "line 1, column 7: entity \"xxe\"" + unknown);
  EXPECT_EQ(xml("<a>1 & 2</a>"), "line 1, column 6: \"&\" that begins no reference; write \"&amp;\"");
  EXPECT_EQ(xml("<a>&;</a>"), "line 1, column 4: \"&\" that begins no reference; write \"&amp;\"");
  for (const std::string_view number :
       {"#0", "#x0", "#xD800", "#x110000", "#xFFFE", "#", "#x", "#1a", "#99999999999"}) {
    EXPECT_EQ(xml("<a>&" + std::string(number) + ";</a>"),
              "line 1, column 4: reference to a character that XML does not have")
        << number;
  }
}

TEST(CheckXml, TakesADocumentTypeWithoutDeclarationsOfItsOwn) {
  EXPECT_EQ(xml("<!DOCTYPE properties SYSTEM \"http://java.sun.com/dtd/properties.dtd\">\n<properties/>"), "accepted");
  EXPECT_EQ(xml("<!DOCTYPE mapper PUBLIC \"-//mybatis.org//DTD Mapper 3.0//EN\" 'mapper>[.dtd'><mapper/>"), "accepted");
  const std::string own = "DOCTYPE with declarations of its own; entities are not accepted, write their values";
  EXPECT_EQ(xml("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>"), "line 1, column 13: " + own);
  EXPECT_EQ(xml("<!DOCTYPE a\n[]><a/>"), "line 2, column 1: " + own);
  EXPECT_EQ(xml("<a/><!DOCTYPE a>"), "line 1, column 5: DOCTYPE stands once, before the root element");
  EXPECT_EQ(xml("<!DOCTYPE a><!DOCTYPE a><a/>"), "line 1, column 13: DOCTYPE stands once, before the root element");
  EXPECT_EQ(xml("<!DOCTYPE a"), "line 1, column 1: DOCTYPE is not closed");
}

TEST(CheckXml, RefusesADeclaredEncodingThatContentDoesNotHave) {
  EXPECT_EQ(xml("<?xml version='1.0' encoding='utf-8'?><a>中</a>"), "accepted");
  EXPECT_EQ(xml("<?xml version='1.0' encoding='GBK'?><a>ascii</a>"), "accepted");
  EXPECT_EQ(xml("<?xml version='1.0' encoding='GBK'?><a>中</a>"),
            "line 1, column 1: declares the encoding \"GBK\", but content is UTF-8");
  EXPECT_EQ(xml("<?xml version='1.0' encoding='UTF-16'?><a>ascii</a>"),
            "line 1, column 1: declares the encoding \"UTF-16\", but content is UTF-8");
}

TEST(CheckXml, ReadsTheDeclarationByTheLetter) {
  EXPECT_EQ(xml("<?xml version = '1.1' encoding='UTF-8' standalone='yes' ?><a/>"), "accepted");
  EXPECT_EQ(xml("<?xml version=\"1.0\" standalone=\"no\"?><a/>"), "accepted");
  for (const std::string_view declaration :
       {"", " encoding='UTF-8'", " version='2.0'", " version='1.0' encoding=''", " version='1.0'encoding='UTF-8'",
        " version=1.0", " version='1.0' standalone='maybe'", " version='1.0' more='1'", " version='1.0' x",
        " version='1.0' standalone='yes' encoding='UTF-8'"}) {
    EXPECT_EQ(xml("<?xml" + std::string(declaration) + "?><a/>"),
              "line 1, column 1: malformed XML declaration; write <?xml version=\"1.0\" encoding=\"UTF-8\"?>")
        << declaration;
  }
}

TEST(CheckXml, RefusesBadCommentsInstructionsAndSections) {
  EXPECT_EQ(xml("<a><!-- a -- b --></a>"), "line 1, column 11: \"--\" inside a comment");
  EXPECT_EQ(xml("<a><!-- a ---></a>"), "line 1, column 12: \"--\" inside a comment");
  EXPECT_EQ(xml("<a><!-- </a>"), "line 1, column 4: comment is not closed");
  EXPECT_EQ(xml("<a><![CDATA[ </a>"), "line 1, column 4: CDATA section is not closed");
  EXPECT_EQ(xml("<a>]]></a>"), "line 1, column 4: \"]]>\" in text; write \"]]&gt;\"");
  EXPECT_EQ(xml("<a><?p </a>"), "line 1, column 7: processing instruction is not closed");
  EXPECT_EQ(xml("\n<?xml version='1.0'?><a/>"),
            "line 2, column 1: the XML declaration \"<?xml\" stands at the very beginning");
  EXPECT_EQ(xml("<?XML version='1.0'?><a/>"),
            "line 1, column 1: the XML declaration \"<?xml\" stands at the very beginning");
}

TEST(CheckXml, RefusesCharactersThatXmlDoesNotHave) {
  EXPECT_EQ(xml(std::string_view("<a>\0</a>", 8)), "line 1, column 4: control character U+0000");
  EXPECT_EQ(xml("<a>\x1B</a>"), "line 1, column 4: control character U+001B");
  EXPECT_EQ(xml("<a>\xEF\xBF\xBE</a>"), "line 1, column 4: character U+FFFE or U+FFFF");
}

TEST(CheckXml, TakesAHundredLevelsAndNoMore) {
  EXPECT_EQ(xml(repeat("<a>", 100) + repeat("</a>", 100)), "accepted");
  EXPECT_EQ(xml(repeat("<a>", 100) + "<a/>" + repeat("</a>", 100)),
            "line 1, column 301: deeper than 100 levels of nesting");
}

}  // namespace
}  // namespace cc
