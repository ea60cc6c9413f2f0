"""Files that go with texts: announced, uploaded once by a secret link, fetched by the carrier by a signed one.

The bytes lie in an object store behind a small port (a directory, or a bucket that speaks S3); what is known about them
lies in `media`. A file stays for as long as a waiting text needs it, and then for the organization's retention.
"""
