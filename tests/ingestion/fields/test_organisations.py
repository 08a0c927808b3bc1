"""Organisations: what looks like a name of one, and which one issued a document."""

import pytest

from ingestion.fields.organisations import is_organisation, issuing_organisation, parties, university
from tests.helpers.front_matter import front

PROSE = "The pump moves water from the tank to the field, and it needs no attention while it runs. " * 9


@pytest.mark.parametrize(
    "line",
    [
        "National Transportation Safety Board",
        "United States Office of Personnel Management",
        "NATIONAL INSTITUTE OF STANDARDS AND TECHNOLOGY",
        "Acme Widgets Ltd",
        "Boston Properties, Inc.",
        "Universität Bielefeld",
        "Makerspace Gütersloh e. V.",
    ],
)
def test_names_of_organisations(line: str) -> None:
    assert is_organisation(line)


@pytest.mark.parametrize(
    "line",
    [
        "University",
        "Annual Report of the Safety Board",
        "Minutes of the Board Meeting",
        "The role of the university in modern society",
        "Exchange Act of 1934",
        "He studied at a University.",
        "Is Google a Company?",
        "User Manual",
        "",
    ],
)
def test_other_lines(line: str) -> None:
    assert not is_organisation(line)


def test_the_head_of_the_first_page_names_it_the_whole_before_its_parts() -> None:
    cover = (
        "Computer Security Division\nInformation Technology Laboratory\n"
        "National Institute of Standards and Technology\nSeptember 2012\nGuide for Risk Assessments"
    )
    assert issuing_organisation(front(cover), "") == "National Institute of Standards and Technology"
    scan = "> ye National Safety Board\nAccident Report\n" + PROSE
    assert issuing_organisation(front(scan), "") == "National Safety Board"
    assert issuing_organisation(front(PROSE + "\nNational Safety Board"), "") == ""


def test_whom_a_document_is_for_did_not_issue_it() -> None:
    assert issuing_organisation(front("Prepared for\nDepartment of Energy\nA Study of Wind"), "") == ""


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("Sponsor: Novartis Pharmaceuticals Corporation\n" + PROSE, "Novartis Pharmaceuticals Corporation"),
        (
            "Study applicant Chinese Academy of Medical Sciences, Hospital\n" + PROSE,
            "Chinese Academy of Medical Sciences, Hospital",
        ),
        ("Prepared by: Ada Lovelace\n" + PROSE, ""),  # a person
        (PROSE + "\n© 2012-2020 Acme Widgets Ltd. All rights reserved.", "Acme Widgets Ltd"),
        ("Satzung des Makerspace Gütersloh e. V.\n" + PROSE, "Makerspace Gütersloh e. V."),
        ("ESTATUTOS DE LA ASOCIACIÓN EL FARO\nLa Asociación El Faro es", "Asociación El Faro"),
    ],
)
def test_what_a_document_says_of_itself(page: str, expected: str) -> None:
    assert issuing_organisation(front(page), "") == expected


def test_statutes_name_it_in_their_title() -> None:
    assert issuing_organisation(front(PROSE), "The Bylaws of Acme Institute") == "Acme Institute"


def test_properties_count_where_the_page_bears_them_out() -> None:
    name = "United States Office of Personnel Management"
    page = "United StateS Office Of PerSOnnel ManageMent\nReport"
    assert issuing_organisation(front(page, author=name), "") == name
    assert issuing_organisation(front(PROSE, author="EDGAR Online, a division of Acme Company"), "") == ""
    assert issuing_organisation(front("Ada Lovelace\n" + PROSE, author="Ada Lovelace"), "") == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "entered into by and between Eton Pharmaceuticals, Inc., a Delaware corporation "
            "(“ETON”), and Aucta Pharmaceuticals, Inc., a",
            "Eton Pharmaceuticals, Inc. and Aucta Pharmaceuticals, Inc.",
        ),
        (
            "is made by and between ABC CORP. and Xyz Manufacturing Co., Ltd., a company",
            "ABC Corp. and Xyz Manufacturing Co., Ltd.",
        ),
        ("is made between Ada Lovelace and Charles Babbage", ""),
        ("a contract", ""),
    ],
)
def test_the_parties_of_a_contract(text: str, expected: str) -> None:
    assert parties(front(text)) == expected


def test_the_university_that_a_head_names() -> None:
    assert (
        university(front("Apuntes del grado, Universidad de Granada. El temario")) == "Universidad de Granada"
    )
    assert university(front("University of Oxford and University of Cambridge")) == ""
    assert university(front("Notes")) == ""
