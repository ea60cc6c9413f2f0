"""What the carrier sells: the fictional numbers of every area code, so that no real person can be reached."""

from collections.abc import Iterator

from agentmessage.simulator.core.account import SimulatedAccount

_AREA_CODE_TABLE = """
    201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 220 223 224 225 227 228 229 231 234 235 239
    240 248 251 252 253 254 256 260 262 267 269 270 272 274 276 279 281 283 301 302 303 304 305 307 308 309 310 312
    313 314 315 316 317 318 319 320 321 323 324 325 326 327 329 330 331 332 334 336 337 339 341 346 347 350 351 352
    353 357 360 361 363 364 369 380 385 386 401 402 404 405 406 407 408 409 410 412 413 414 415 417 419 423 424 425
    430 432 434 435 436 440 442 443 445 447 448 457 458 463 464 469 470 471 472 475 478 479 480 483 484 501 502 503
    504 505 507 508 509 510 512 513 515 516 517 518 520 530 531 534 539 540 541 551 557 559 561 562 563 564 567 570
    571 572 573 574 575 580 582 585 586 601 602 603 605 606 607 608 609 610 612 614 615 616 617 618 619 620 621 623
    624 626 628 629 630 631 636 640 641 645 646 650 651 656 657 659 660 661 662 667 669 678 680 681 682 686 689 701
    702 703 704 706 707 708 712 713 714 715 716 717 718 719 720 724 725 726 727 728 729 730 731 732 734 737 740 743
    747 748 754 757 760 762 763 765 769 770 771 772 773 774 775 779 781 785 786 801 802 803 804 805 806 808 810 812
    813 814 815 816 817 818 820 821 826 828 830 831 832 835 837 838 839 840 843 845 847 848 850 854 856 857 858 859
    860 861 862 863 864 865 870 872 878 901 903 904 906 907 908 909 910 912 913 914 915 916 917 918 919 920 924 925
    928 929 930 931 934 936 937 938 940 941 943 945 947 948 949 951 952 954 956 959 970 971 972 973 975 978 979 980
    983 984 985 986 989
"""

AREA_CODES: tuple[str, ...] = tuple(_AREA_CODE_TABLE.split())
"""Geographic area codes of the fifty states and Washington, DC (North American Numbering Plan)."""

TOLL_FREE_CODES = ("800", "833", "844", "855", "866", "877", "888")

_LINES = tuple(f"555{line:04d}" for line in range(100, 200))
"""The exchange and line numbers that are reserved for fiction in every area code."""


def is_in_inventory(number: str) -> bool:
    """Whether the carrier sells this number (E.164) at all."""
    code, rest = number[2:5], number[5:]
    return number.startswith("+1") and rest in _LINE_SET and (code in _CODE_SET)


def is_toll_free(number: str) -> bool:
    """Whether the number (E.164) has a toll-free code, reserved ones included."""
    return number.startswith("+18") and (number[2:5] in {*TOLL_FREE_CODES, "822"} or number[3] == "8")


def is_available(account: SimulatedAccount, number: str, *, at: float) -> bool:
    """Whether it is for sale: not in service, not reserved by an order, not aging."""
    if number in account.lines or number in account.reserved or not is_in_inventory(number):
        return False
    aged = account.aging.get(number)
    return aged is None or aged.until <= at


def available_numbers(
    account: SimulatedAccount, codes: tuple[str, ...], *, prefix: str, digits: str, quantity: int, at: float
) -> list[str]:
    """At most `quantity` numbers (E.164) of these area codes; `prefix` and `digits` are of the last seven digits."""
    numbers: list[str] = []
    for number in _candidates(codes):
        local = number[5:]
        if local.startswith(prefix) and digits in local and is_available(account, number, at=at):
            numbers.append(number)
            if len(numbers) >= quantity:
                break
    return numbers


def _candidates(codes: tuple[str, ...]) -> Iterator[str]:
    return (f"+1{code}{line}" for code in codes for line in _LINES)


_LINE_SET = frozenset(_LINES)
_CODE_SET = frozenset((*AREA_CODES, *TOLL_FREE_CODES))
