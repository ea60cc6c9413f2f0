"""Two ways in which contacts say yes themselves: a text that is answered YES, and a form on a page of ours.

    pending ──YES in time──▶ confirmed        one open question for each (number, contact)
       ├──time passes──▶ expired
       └──STOP, revoked──▶ canceled

A question is a text of the platform's own, and texted only to who neither agreed nor opted out. A link to the form is
a signed token that holds everything, so that nothing is stored before somebody agrees. Events:
consent_pending.confirmed, consent_pending.expired; the consents and their events belong to the room `consent`.
"""
