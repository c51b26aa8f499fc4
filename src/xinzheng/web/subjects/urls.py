"""Addresses of subjects of reports."""

from django.urls import path

from xinzheng.web.office import paper_demands as office_paper_demands
from xinzheng.web.subjects import again, history, my_data, paper_demand

urlpatterns = [
    path("applications", history.applications, name="applications"),
    path("reports/<str:number>/again", again.again, name="report-again"),
    path("paper-demands", paper_demand.paper_demands, name="paper-demands"),
    path("my-data", my_data.my_data, name="my-data"),
    path("my-data/full", my_data.my_data_in_full, name="my-data-full"),
    path("my-data/export", my_data.export_my_data, name="my-data-export"),
    path("my-data/phone", my_data.change_phone, name="my-data-phone"),
    path("office/paper-demands", office_paper_demands.office_paper_demands, name="office-paper-demands"),
    path(
        "office/paper-demands/<int:demand_id>/answer",
        office_paper_demands.answer_paper_demand,
        name="office-paper-demand-answer",
    ),
]
